// What our own pages bring along, and a page of another site does without: the tabs of a login share one connection.

import { Tabs } from './realtime/tabs.js'

const page = /** @type {any} */ (globalThis)
page.signalbox = { ...page.signalbox, tabs: Tabs }

import { CONTROL } from './contract.js'
import { newId } from './ids.js'

/** @import {Cursor, Frame} from './types.d.ts' */

/** The frame that follows a topic from a cursor. @param {string} topic @param {Cursor} cursor @param {string} [id] @returns {Frame} */
export function subscribe(topic, { epoch, seq }, id = newId()) {
  const data = seq === null ? {} : epoch ? { after: seq, epoch } : { after: seq }
  return { type: CONTROL.SUBSCRIBE, id, topic, data }
}

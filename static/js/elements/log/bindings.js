// Which button, key or place does what with a log.

import { selectedText } from './copy.js'
import { forInput } from './time.js'

/** @import {Prefs} from '../../console/prefs.js' */
/** @import {LogActions, Parts} from './actions.js' */
/** @import {LogSettings} from './settings.js' */

const TYPED = 250
const TIMES = /** @type {const} */ (['off', 'relative', 'absolute'])

/** @param {Parts} parts @param {LogActions} actions @param {LogSettings} settings */
export function bind(parts, actions, settings) {
  const { tools, rows, tape, lens } = parts
  const { view } = rows
  const refilter = () => settings.refilter()
  const prefer = (/** @type {Partial<Prefs>} */ change) => settings.prefer(change)
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing

  tools.find.oninput = () => {
    clearTimeout(typing)
    typing = setTimeout(refilter, TYPED)
  }
  tools.find.onkeydown = (event) => {
    if (event.key === 'Enter') actions.nextHit(event.shiftKey ? -1 : 1)
    else if (event.key === 'Escape') view.focus()
    else return
    event.preventDefault()
  }
  tools.before.onclick = () => actions.nextHit(-1)
  tools.after.onclick = () => actions.nextHit(1)
  tools.only.onchange = tools.source.onchange = tools.agent.onchange = tools.level.onchange = refilter
  tools.kinds.onchange = () => {
    refilter()
    if (lens.hasPrinted) prefer({ kinds: /** @type {Prefs['kinds']} */ (lens.kinds) })
  }
  tools.clear.onclick = () => {
    tools.source.value = lens.given
    tools.agent.value = tools.level.value = ''
    tools.kinds.value = 'printed'
    tools.only.checked = false
    refilter()
    tools.filters.close()
  }

  const times = () => /** @type {Prefs['times']} */ (tools.times.value)
  tools.wrap.onchange = () => prefer({ wrap: tools.wrap.checked })
  tools.times.onchange = () => prefer({ times: times() })
  tools.foldAll.onclick = () => actions.foldAll(true)
  tools.unfoldAll.onclick = () => actions.foldAll(false)
  tools.jump.onsubmit = (event) => {
    event.preventDefault()
    const at = new Date(tools.moment.value).getTime()
    if (!Number.isNaN(at)) actions.toMoment(at)
    tools.view.close()
    view.focus()
  }
  tools.view.element.addEventListener('toggle', () => {
    const top = rows.top
    const page = top && tape.page(tape.pageOf(top.seq))
    // It opens a moment before this is told, and what one types by then stays.
    const isTyping = document.activeElement === tools.moment
    if (tools.view.element.open && page && !isTyping)
      tools.moment.value = forInput(page.pieceOf(page.find(top.seq, top.n)).at)
  })

  for (const [format, button] of Object.entries(tools.formats)) {
    button.onclick = () => {
      tools.saves.close()
      actions.save(/** @type {'txt' | 'json' | 'csv'} */ (format))
    }
  }
  tools.stop.onclick = () => actions.stop()
  tools.goOn.onclick = () => actions.lookOn()
  tools.pause.onclick = () => actions.pause()
  tools.follow.onclick = () => {
    actions.follow()
    view.focus()
  }

  view.addEventListener('click', (event) => clicked(event, actions))
  view.addEventListener('copy', (event) => {
    const text = selectedText(tape, lens.columns, view)
    if (text === null) return
    event.clipboardData?.setData('text/plain', text)
    event.preventDefault()
  })
  listenToKeys(view, {
    '/': () => tools.find.focus(),
    n: () => actions.nextHit(1),
    N: () => actions.nextHit(-1),
    j: () => actions.nextLine(1),
    k: () => actions.nextLine(-1),
    Enter: () => actions.link(),
    c: () => actions.copyLine(),
    x: () => actions.reveal(),
    z: () => actions.fold(),
    f: () => actions.follow(),
    p: () => actions.pause(),
    w: () => prefer({ wrap: !tools.wrap.checked }),
    t: () => prefer({ times: TIMES[(TIMES.indexOf(times()) + 1) % TIMES.length] }),
    Home: () => actions.toBeginning(),
    End: () => actions.follow(),
  })
}

/** @param {MouseEvent} event @param {LogActions} actions */
function clicked(event, actions) {
  const target = /** @type {Element} */ (event.target)
  const row = /** @type {HTMLElement | null} */ (target.closest('.line'))
  const [seq, n] = (row?.dataset.address ?? '').split('.').map(Number)
  if (target.closest('.number')) {
    // A click with a modifier opens it elsewhere, as with any link.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    actions.link({ seq, n })
  } else if (target.closest('.more')) actions.reveal({ seq, n })
  else if (target.closest('.fold')) actions.fold(row?.dataset.source)
}

/** Single letters count only while the lines themselves have the focus. @param {HTMLElement} view @param {Record<string, () => void>} actions by key */
function listenToKeys(view, actions) {
  view.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== view) return
    const action = actions[event.key]
    if (!action) return
    event.preventDefault()
    action()
  })
}

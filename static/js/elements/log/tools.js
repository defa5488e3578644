// What stands above and below the lines of a log: looking for words, filters, how it is shown, and files.

import { make } from '../make.js'

/** @typedef {ReturnType<typeof logTools>} LogTools */

export function logTools() {
  const find = make('input', {
    type: 'search',
    className: 'find',
    placeholder: 'Find words or /regex/',
    ariaLabel: 'Find in the log: words, or a regular expression between slashes',
    autocomplete: 'off',
    spellcheck: false,
  })
  const place = make('output', { className: 'place number' })
  const before = button('↑', 'quiet small', 'Previous hit (Shift+Enter)')
  const after = button('↓', 'quiet small', 'Next hit (Enter)')
  const only = toggle('Only hits')
  const finding = make('div', { className: 'finding' })
  finding.append(find, place, before, after, only.label)

  const source = choice('Step')
  const agent = choice('Agent')
  const level = choice('Level', [
    ['', 'All levels'],
    ['info', 'Output'],
    ['error', 'Errors'],
    ['system', 'Signalbox'],
  ])
  const kinds = choice('Type', [
    ['printed', 'Log lines'],
    ['all', 'Log lines and events'],
    ['events', 'Only events'],
    ['run', 'Only of the run'],
    ['stages', 'Only of stages'],
    ['steps', 'Only of steps and their agents'],
  ])
  const clear = button('Show everything', 'quiet small')
  const filters = menu('Filter', [source.label, agent.label, level.label, kinds.label, clear])

  const wrap = toggle('Wrap long lines')
  const times = choice('Times', [
    ['off', 'No times'],
    ['relative', 'Since the beginning'],
    ['absolute', 'By the clock'],
  ])
  const foldAll = button('Fold all steps', 'quiet small')
  const unfoldAll = button('Unfold all', 'quiet small')
  const folds = make('div', { className: 'row' })
  folds.append(foldAll, unfoldAll)
  const moment = make('input', { type: 'datetime-local', step: '1', ariaLabel: 'Jump to this time' })
  const go = button('Go', 'small')
  const jump = make('form', { className: 'jump' })
  const jumpRow = make('div', { className: 'row' })
  jumpRow.append(moment, go)
  go.type = 'submit'
  jump.append(make('span', { className: 'title', textContent: 'Jump to a time' }), jumpRow)
  const view = menu('View', [wrap.label, times.label, folds, jump, keysInWords()])

  const txt = button('Text', 'quiet small')
  const json = button('JSON', 'quiet small')
  const csv = button('CSV', 'quiet small')
  const saves = menu('Download', [
    make('span', { className: 'title', textContent: 'The whole log, with times' }),
    txt,
    json,
    csv,
  ])
  saves.element.classList.add('last')

  const pause = button('Pause', 'quiet small', 'Pause the view (P); nothing is lost')
  const tools = make('div', { className: 'tools' })
  tools.append(finding, filters.element, view.element, saves.element, pause)

  const problem = make('p', { className: 'said', role: 'alert', hidden: true })
  const again = button('Try again', 'quiet small')
  again.hidden = true
  const count = make('span', { className: 'count' })
  const work = make('span', { className: 'work' })
  const stop = button('Stop', 'quiet small')
  stop.hidden = true
  const foot = make('div', { className: 'foot' })
  const status = make('span', { className: 'status', role: 'status' })
  const goOn = button('Go on', 'quiet small')
  goOn.hidden = true
  foot.append(count, work, stop, goOn, problem, again, status)

  const follow = button('', 'follow small')
  follow.hidden = true
  const state = make('p', { className: 'state', role: 'status' })

  return {
    tools,
    find,
    place,
    before,
    after,
    only: only.input,
    source: source.select,
    agent: agent.select,
    level: level.select,
    kinds: kinds.select,
    ofRuns: [agent.label, level.label, kinds.label],
    clear,
    filters,
    wrap: wrap.input,
    times: times.select,
    folds,
    foldAll,
    unfoldAll,
    jump,
    moment,
    view,
    saves,
    formats: { txt, json, csv },
    pause,
    foot,
    count,
    work,
    stop,
    goOn,
    problem,
    again,
    status,
    follow,
    state,
  }
}

/** @param {string} text @param {string} className @param {string} [title] */
function button(text, className, title = '') {
  const made = make('button', { type: 'button', className, textContent: text, title })
  if (title && text.length < 2) made.ariaLabel = title
  return made
}

/** @param {string} text */
function toggle(text) {
  const label = make('label', { className: 'toggle' })
  const input = make('input', { type: 'checkbox' })
  label.append(input, text)
  return { label, input }
}

/** @param {string} text @param {[string, string][]} [options] */
function choice(text, options = []) {
  const label = make('label', { className: 'pick', textContent: text })
  const select = make('select')
  for (const [value, words] of options) select.add(new Option(words, value))
  label.append(select)
  return { label, select }
}

/** A button that opens what belongs to it; Escape, or a click elsewhere, closes it. @param {string} title @param {Element[]} parts */
function menu(title, parts) {
  const element = make('details', { className: 'drop' })
  const summary = make('summary', { className: 'quiet small', textContent: title })
  const panel = make('div', { className: 'panel' })
  panel.append(...parts)
  element.append(summary, panel)
  const isElsewhere = (/** @type {Event} */ event) => !element.contains(/** @type {Node} */ (event.target))
  const away = (/** @type {Event} */ event) => isElsewhere(event) && close()
  const close = () => {
    element.open = false
  }
  element.addEventListener('toggle', () => {
    // It ends where the window does.
    panel.style.setProperty('--room', `${innerHeight - panel.getBoundingClientRect().top}px`)
    if (element.open) document.addEventListener('pointerdown', away)
    else document.removeEventListener('pointerdown', away)
  })
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return
    event.preventDefault()
    event.stopPropagation()
    close()
    summary.focus()
  })
  element.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !element.contains(relatedTarget)) close()
  })
  return { element, summary, close }
}

const KEYS = [
  ['/', 'find'],
  ['n  N', 'next, previous hit'],
  ['j  k', 'next, previous line'],
  ['Enter', 'copy a link to the line'],
  ['c', 'copy the line'],
  ['x', 'show more of the line'],
  ['z', 'fold its step'],
  ['f', 'jump to the latest and follow'],
  ['p', 'pause'],
  ['w  t', 'wrap, times'],
  ['Home  End', 'first, last line'],
]

function keysInWords() {
  const list = make('dl', { className: 'keys' })
  for (const [key, what] of KEYS) {
    const term = make('dt')
    term.append(make('kbd', { textContent: key }))
    list.append(term, make('dd', { textContent: what }))
  }
  return list
}

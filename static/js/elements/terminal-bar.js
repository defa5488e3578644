// The tools around <agent-terminal>: what to show above it, where in time below it.

import { make } from './make.js'

const SPEEDS = [1, 4, 16, 64]

export function terminalBar() {
  const command = make('select', { ariaLabel: 'Which command' })
  command.add(new Option('Everything', ''))
  const find = make('input', {
    type: 'search',
    placeholder: 'Find on screen',
    ariaLabel: 'Find on screen; Enter goes to the next place',
  })
  const size = make('select', { ariaLabel: 'Size' })
  size.append(new Option('As printed', ''), new Option('Fit the window', 'fit'))
  const smaller = button('A−', 'Smaller letters')
  const larger = button('A+', 'Larger letters')
  const copy = button('Copy', 'Copy what is selected, or everything')
  const reader = make('input', { type: 'checkbox' })
  const words = make('span', { className: 'words muted small', role: 'status' })
  const top = make(
    'div',
    { className: 'tools' },
    command,
    find,
    size,
    smaller,
    larger,
    copy,
    make('label', {}, reader, ' Screen reader'),
    words,
  )

  const play = button('Play', '')
  const speed = make('select', { ariaLabel: 'Speed' })
  speed.append(...SPEEDS.map((times) => new Option(`${times}×`, String(times))))
  const slider = make('input', { type: 'range', step: '1', ariaLabel: 'Point in its history' })
  const place = make('span', { className: 'place number small' })
  const live = button('Live', 'Go to the end and follow')
  const bottom = make('div', { className: 'tools' }, play, speed, slider, place, live)

  return { top, command, find, size, smaller, larger, copy, reader, words, bottom, play, speed, slider, place, live }
}

/** @param {string} textContent @param {string} title */
function button(textContent, title) {
  return make('button', { type: 'button', className: 'quiet small', textContent, title })
}

// A log as a server has it, and what a console has to make of it.

import { Lens } from '../../static/js/console/lens.js'
import { Tape } from '../../static/js/console/tape.js'
import { randomOf } from './random.js'

/** A log on a server: what was printed, as (step, text), from seq 1 on. */
export class Server {
  events = []
  /** Up to here the log was removed. */
  floor = 0
  requests = 0
  #offsets = new Map()

  print(step, text, { again = false, level = 'info' } = {}) {
    const offset = again ? 0 : (this.#offsets.get(step) ?? 0)
    this.#offsets.set(step, offset + text.length)
    const seq = this.events.length + 1
    const timestamp = new Date(1_000_000 + seq * 1000).toISOString()
    const data = { stage: 'all', step, agent: `box-${step}`, level, text, offset }
    const event = { type: 'workflow_log', topic: 'run.1', seq, timestamp, data }
    this.events.push(event)
    return event
  }

  before = async (before, limit) => {
    this.requests += 1
    const events = this.events.slice(Math.max(this.floor, before - 1 - limit), Math.max(this.floor, before - 1))
    return { head: this.events.length, floor: this.floor, events }
  }

  after = async (after) => {
    const { floor, events } = this
    const reset = after < floor
    return { epoch: 'e1', head: events.length, floor, reset, events: reset ? [] : events.slice(after, after + 37) }
  }
}

export function tapeOf(server, lens = new Lens()) {
  const tape = new Tape({ lens, readBefore: server.before, changed: () => {} })
  tape.begin({ head: server.events.length, floor: 0 })
  return tape
}

/** All rows as text, fetching what is missing. */
export async function read(tape) {
  await tape.loadAll(0, tape.length - 1)
  const texts = []
  for (let index = 0; index < tape.length; index++) {
    const sight = tape.sight(index)
    for (let row = 0; row < (sight?.rows ?? 0); row++) texts.push(tape.lines.line(index, sight.lineAt(row).line).text)
  }
  return texts
}

/** The same by the plainest means: each line where its first character was printed. */
export function plainly(events) {
  const lines = []
  const open = new Map()
  for (const { data } of events) {
    if (data.offset === 0) open.delete(data.step)
    for (const part of data.text.split(/(?<=\n)/)) {
      let line = open.get(data.step)
      if (!line) {
        line = { text: '' }
        lines.push(line)
        open.set(data.step, line)
      }
      line.text += part.replace('\n', '')
      if (part.endsWith('\n')) open.delete(data.step)
    }
  }
  return lines.map(({ text }) => text)
}

export function randomLog(seed, events) {
  const random = randomOf(seed)
  const server = new Server()
  for (let n = 0; n < events; n++) {
    const step = 'abc'[random(3)]
    let text = ''
    for (let part = random(4); part >= 0; part--) text += `${step}${n}.${part}${random(3) ? '\n' : ''}`
    server.print(step, text, { again: random(40) === 0 })
  }
  return server
}

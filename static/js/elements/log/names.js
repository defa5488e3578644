// What the sources and agents of a log are called; each can be chosen once it has been seen.

/** @import {StoredEvent} from '../../realtime/types.d.ts' */
/** @import {LogTools} from './tools.js' */

export class LogNames {
  /** Is a source without a name called by the beginning of its id? */
  areShort = false
  /** @type {Map<string, string>} */
  #names = new Map()
  /** Those that can be chosen. @type {Map<string, HTMLOptionElement>} */
  #sources = new Map()
  /** @type {Map<string, HTMLOptionElement>} */
  #agents = new Map()
  #tools

  /** @param {LogTools} tools */
  constructor(tools) {
    this.#tools = tools
  }

  /** @param {string} source */
  of(source) {
    return this.#names.get(source) ?? (this.areShort ? source.slice(0, 8) : source)
  }

  /** @param {string} source @param {string} name */
  set(source, name) {
    this.#names.set(source, name)
    const option = this.#sources.get(source)
    if (option) option.textContent = name
  }

  /** @param {string} source */
  offer(source) {
    if (!this.#sources.has(source)) this.#sources.set(source, offer(this.#tools.source, source, this.of(source)))
  }

  /** @param {string} agent */
  offerAgent(agent) {
    if (!this.#agents.has(agent)) this.#agents.set(agent, offer(this.#tools.agent, agent, agent))
  }

  /** @param {StoredEvent[]} events */
  learn(events) {
    for (const { data } of events) {
      const source = data?.step ?? data?.command_id
      if (source) this.offer(source)
      if (data?.agent) this.offerAgent(data.agent)
    }
  }
}

/** @param {HTMLSelectElement} select @param {string} value @param {string} name */
function offer(select, value, name) {
  if (!select.options.length) select.add(new Option('All', ''))
  const option = new Option(name, value)
  select.add(option)
  return option
}

// Letters between the tabs of a browser. Each address is a channel of its own, so that a letter wakes only those whom it
// concerns: a busy log costs the tabs nothing that don't show it.

/** Where every tab listens. */
export const ROOM = 'room'
/** Where whoever leads listens. */
export const LEADER = 'leader'
/** Before a topic: where those listen who follow it. */
export const ON = 'on '

/** @typedef {{from: string, say: string, frame?: any, status?: any, hello?: any, heads?: any}} Letter */

export class Mail {
  /** @type {Map<string, BroadcastChannel>} */
  #boxes = new Map()
  #name

  /** @param {string} name keeps those apart who have nothing to say to each other */
  constructor(name) {
    this.#name = name
  }

  /** @param {string} address @param {(letter: any) => void} hear */
  listen(address, hear) {
    this.#box(address).onmessage = ({ data }) => hear(data)
  }

  /** @param {string} address @param {Letter} letter */
  post(address, letter) {
    this.#box(address).postMessage(letter)
  }

  /** @param {string} address */
  forget(address) {
    this.#boxes.get(address)?.close()
    this.#boxes.delete(address)
  }

  close() {
    for (const address of [...this.#boxes.keys()]) this.forget(address)
  }

  /** @param {string} address */
  #box(address) {
    const box = this.#boxes.get(address) ?? new BroadcastChannel(`${this.#name} ${address}`)
    this.#boxes.set(address, box)
    return box
  }
}

// Through what one looks at a log: which lines are wanted, which are folded away, and how wide a line may be.

import { KINDS } from './pieces.js'
import { Query } from './query.js'

/** @import {Piece} from './pieces.js' */
/** @import {Address} from './tape.js' */

/** @typedef {'printed' | 'all' | 'events' | 'run' | 'stages' | 'steps'} Kinds */

/** Columns of a line that are shown before one asks for more. */
export const MOST_CELLS = 2000
/** How many more each time. */
const MORE = 16_000

export class Lens {
  query = new Query('')
  onlyHits = false
  /** @type {Kinds} */
  kinds = 'printed'
  source = ''
  /** The source that the page is about; '': it is about all. */
  given = ''
  agent = ''
  level = ''
  /** The field of an event that names its source. */
  stream = 'step'
  /** @type {Set<string>} */
  folded = new Set()
  /** Columns after which a line is wrapped; 0: never. */
  columns = 0
  /** Goes up with each change of what is seen. */
  version = 0
  /** Lines of which more is shown than of others, by address. @type {Map<string, number>} */
  #revealed = new Map()

  /** @param {Partial<Lens>} change */
  set(change) {
    Object.assign(this, change)
    this.version += 1
  }

  /** Is only a part of the lines wanted, so that one has to look through all of them to know which? */
  get isSelective() {
    const { source, agent, level, query, onlyHits } = this
    return Boolean(source || agent || level || !this.hasPrinted || (onlyHits && !query.isEmpty))
  }

  /** How many filters somebody has set, beyond what the page is about. */
  get chosen() {
    return [this.source !== this.given, this.agent, this.level, !this.hasPrinted].filter(Boolean).length
  }

  /** Is what was printed wanted, which is nearly everything there is? */
  get hasPrinted() {
    return this.kinds === 'printed' || this.kinds === 'all'
  }

  /** Has one to look through all lines, be it only to count? */
  get isLooking() {
    return this.isSelective || !this.query.isEmpty
  }

  /** Can the rest of a line be what is asked for, though the line is not? */
  get canRestsDeceive() {
    return Boolean(this.level) || this.query.isExpression
  }

  /** @param {Piece} piece */
  wants({ type, source, agent, level }) {
    return (
      (KINDS[this.kinds]?.has(type) ?? true) &&
      (!this.source || source === this.source) &&
      (!this.agent || agent === this.agent) &&
      (!this.level || level === this.level)
    )
  }

  /** Can its lines be seen, as far as one piece alone tells? @param {Piece} piece */
  shows(piece) {
    const isOnlyHits = this.onlyHits && !this.query.isEmpty
    return !isOnlyHits && !this.folded.has(piece.source) && this.wants(piece)
  }

  /** @param {string} source */
  fold(source) {
    if (!this.folded.delete(source)) this.folded.add(source)
    this.version += 1
  }

  /** How many columns of a line are shown. @param {Address} address */
  most({ seq, n }) {
    return (this.#revealed.size && this.#revealed.get(`${seq}.${n}`)) || MOST_CELLS
  }

  /** Show more of a line. @param {Address} address @param {number} [least] columns */
  reveal({ seq, n }, least = 0) {
    this.#revealed.set(`${seq}.${n}`, Math.max(least, this.most({ seq, n }) + MORE))
  }

  /** Show of no line more than of others. */
  conceal() {
    this.#revealed.clear()
  }
}

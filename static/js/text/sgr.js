// What a program prints, as pieces of text with a style: SGR colours are understood, every other escape sequence and
// control character is left out. The state goes on from one piece to the next, since output is cut anywhere.

/** @typedef {'return' | 'newline' | 'back' | 'forward' | 'erase' | 'before' | 'clear' | 'blank' | 'delete' | 'insert'} How */
/** @typedef {{kind: 'text', text: string, style: string} | {kind: 'move', how: How, by: number}} Piece */

// CSI, OSC and other strings (ended by BEL or ST), two-character escapes; or one control character, those among them
// that turn the direction of writing.
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  /\x1b\[([0-?]*)([ -/]*)([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: the beginning of a sequence whose end has not come yet
const CUT_OFF = /\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?$/
const LONGEST_SEQUENCE = 4096

const FLAGS = /** @type {Record<number, string>} */ ({
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'strike',
})
const ENDS = /** @type {Record<number, string[]>} */ ({
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['strike'],
})
/** The text's colour, that behind it, and that of the line under it, which is not shown. */
const EXTENDED = new Set([38, 48, 58])

const ERASES = /** @type {const} */ (['erase', 'before', 'clear'])
const MOVES = /** @type {Record<string, How>} */ ({ C: 'forward', D: 'back', P: 'delete', X: 'blank', '@': 'insert' })

export class Sgr {
  /** @type {Set<string>} */
  #flags = new Set()
  #front = ''
  #back = ''
  #style = ''
  #unfinished = ''

  /** @param {string} [style] the style it goes on with, as `style` gave it */
  constructor(style = '') {
    for (const name of style ? style.split(' ') : []) {
      const short = name.replace('sgr-', '')
      if (/^f[\d#]/.test(short)) this.#front = short
      else if (/^b[\d#]/.test(short)) this.#back = short
      else this.#flags.add(short)
    }
    this.#style = style
  }

  /** Classes, and `f#rrggbb` and `b#rrggbb` for colours that have none. */
  get style() {
    return this.#style
  }

  /** The beginning of a sequence whose end has not come yet. */
  get unfinished() {
    return this.#unfinished
  }

  /** @param {string} printed @returns {Piece[]} */
  read(printed) {
    /** @type {Piece[]} */
    const pieces = []
    let text = this.#unfinished + printed
    this.#unfinished = ''
    const cut = CUT_OFF.exec(text)
    if (cut) {
      // A sequence that never ends is not waited for: only its beginning is left out.
      if (cut[0].length < LONGEST_SEQUENCE) {
        this.#unfinished = cut[0]
        text = text.slice(0, cut.index)
      } else text = text.slice(0, cut.index) + text.slice(cut.index + 2)
    }

    let at = 0
    for (const found of text.matchAll(SEQUENCE)) {
      if (found.index > at) pieces.push(this.#text(text.slice(at, found.index)))
      at = found.index + found[0].length
      const piece = this.#understand(found)
      if (piece) pieces.push(piece)
    }
    if (at < text.length) pieces.push(this.#text(text.slice(at)))
    return pieces
  }

  /** @param {string} text @returns {Piece} */
  #text(text) {
    return { kind: 'text', text, style: this.#style }
  }

  /** @param {RegExpMatchArray} found @returns {Piece | null} */
  #understand([whole, numbers = '', between = '', end = '']) {
    if (whole === '\r') return move('return', 0)
    if (whole === '\n') return move('newline', 0)
    if (whole === '\b') return move('back', 1)
    // With one of these in front, or something between, it means something else: `CSI > 4 ; 2 m` is about the keyboard.
    if (!end || between || /^[<=>?]/.test(numbers)) return null
    if (end === 'm') {
      this.#colour(numbers)
      return null
    }
    const number = Number.parseInt(numbers, 10) || 0
    if (end === 'K') return number < 3 ? move(ERASES[number], 0) : null
    if (end === 'G') return move('return', Math.max(1, number) - 1)
    const how = MOVES[end]
    return how ? move(how, Math.max(1, number)) : null
  }

  /** @param {string} numbers */
  #colour(numbers) {
    const codes = numbers.split(';')
    for (let n = 0; n < codes.length; n++) {
      const [code, ...more] = codes[n].split(':').map(Number)
      if (code === 0) this.#reset()
      else if (code === 4 && more[0] === 0) this.#flags.delete('underline')
      else if (FLAGS[code]) this.#flags.add(FLAGS[code])
      else if (ENDS[code]) for (const flag of ENDS[code]) this.#flags.delete(flag)
      else if (EXTENDED.has(code)) {
        const [colour, used] = more.length ? [ofColons(more), 0] : extended(codes.slice(n + 1, n + 5).map(Number))
        if (code === 38) this.#front = colour === null ? '' : `f${colour}`
        else if (code === 48) this.#back = colour === null ? '' : `b${colour}`
        n += used
      } else if (code >= 30 && code <= 37) this.#front = `f${code - 30}`
      else if (code >= 90 && code <= 97) this.#front = `f${code - 82}`
      else if (code === 39) this.#front = ''
      else if (code >= 40 && code <= 47) this.#back = `b${code - 40}`
      else if (code >= 100 && code <= 107) this.#back = `b${code - 92}`
      else if (code === 49) this.#back = ''
    }
    this.#style = [...this.#flags, this.#front, this.#back]
      .filter(Boolean)
      .map((name) => (name.includes('#') ? name : `sgr-${name}`))
      .join(' ')
  }

  #reset() {
    this.#flags.clear()
    this.#front = this.#back = ''
  }
}

/** @param {How} how @param {number} by @returns {Piece} */
function move(how, by) {
  return { kind: 'move', how, by }
}

/** With colons there may be a place for a colour space before the three colours. @param {number[]} numbers */
function ofColons([kind, ...rest]) {
  return extended([kind, ...(kind === 2 && rest.length > 3 ? rest.slice(1) : rest)])[0]
}

/** A colour of 256 or of 16 million: one of the 16 that the theme knows, or `#rrggbb`; and how many numbers it took. @param {number[]} codes @returns {[number | string | null, number]} */
function extended([kind, ...rest]) {
  if (kind === 5) return [of256(byte(rest[0])), 2]
  if (kind === 2) return [hex(rest[0], rest[1], rest[2]), 4]
  return [null, 0]
}

/** @param {number} code @returns {number | string} */
function of256(code) {
  if (code < 16) return code
  if (code >= 232) {
    const grey = 8 + (code - 232) * 10
    return hex(grey, grey, grey)
  }
  const step = (/** @type {number} */ n) => (n ? 55 + n * 40 : 0)
  const cube = code - 16
  return hex(step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6))
}

/** @param {(number | undefined)[]} parts red, green, blue */
function hex(...parts) {
  return `#${parts.map((part) => byte(part).toString(16).padStart(2, '0')).join('')}`
}

/** @param {number | undefined} value */
function byte(value) {
  return Math.min(255, Math.max(0, Math.trunc(value || 0)))
}

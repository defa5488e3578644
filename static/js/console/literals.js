// What a text must contain, whatever else it is, for a regular expression to match: enough for a server to look for,
// which would never run somebody's regular expression.

const LEAST = 2
const MOST = 8

/** Texts that are in everything that `pattern` matches, in capital or small letters; none if that is not sure. @param {string} pattern a valid one, with the flag `u` @returns {string[]} */
export function literalsIn(pattern) {
  /** @type {string[]} */
  const literals = []
  /** @type {string[]} characters that follow each other */
  let run = []
  const end = () => {
    if (run.length >= LEAST) literals.push(run.join(''))
    run = []
  }
  const characters = [...pattern]
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]
    if (character === '|') return []
    if (character === '*' || character === '?' || character === '{') {
      // The one before it may be missing.
      run.pop()
      end()
      if (character === '{') at = characters.indexOf('}', at)
    } else if (character === '\\') {
      at += 1
      const next = characters[at]
      if (/[pPuxck0-9]/.test(next)) return []
      if (/[a-z]/i.test(next)) end()
      else run.push(next)
    } else if (character === '[') {
      end()
      at = endOfClass(characters, at)
    } else if (character === '(') {
      end()
      at = endOfGroup(characters, at)
    } else if (/[.^$+]/.test(character)) end()
    else run.push(character)
  }
  end()
  return literals.sort((a, b) => b.length - a.length).slice(0, MOST)
}

/** @param {string[]} characters @param {number} from */
function endOfClass(characters, from) {
  let at = from + 1
  for (; characters[at] !== ']'; at++) if (characters[at] === '\\') at += 1
  return at
}

/** @param {string[]} characters @param {number} from */
function endOfGroup(characters, from) {
  let depth = 0
  for (let at = from; ; at++) {
    if (characters[at] === '\\') at += 1
    else if (characters[at] === '[') at = endOfClass(characters, at)
    else if (characters[at] === '(') depth += 1
    else if (characters[at] === ')' && --depth === 0) return at
  }
}

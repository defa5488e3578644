// Whether a regular expression repeats what is itself repeated, as in (a+)+: on a line that does not quite match, a
// browser tries all ways to divide it, which takes for ever.

const TOKEN = /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:<?[=!]|:|<[^>]*>))?|[*+?]|\{(\d+)(,?)(\d*)\}|./gsu
/** So many times are few. */
const FEW = 9

/** @param {string} pattern a valid one, with the flag `u` */
export function isNested(pattern) {
  /** Of each group that is open: is something repeated in it? */
  const groups = [false]
  // Is something repeated in what a repetition would be of?
  let isRepeated = false
  for (const [token, least, comma, most] of pattern.matchAll(TOKEN)) {
    if (token === '*' || token === '+' || (least && times(least, comma, most) > FEW)) {
      if (isRepeated) return true
      groups[groups.length - 1] = true
    }
    if (token[0] === '(') groups.push(false)
    isRepeated = token === ')' && Boolean(groups.pop())
    if (isRepeated) groups[groups.length - 1] = true
  }
  return false
}

/** @param {string} least @param {string} comma @param {string} most */
function times(least, comma, most) {
  if (!comma) return Number(least)
  return most ? Number(most) : Number.POSITIVE_INFINITY
}

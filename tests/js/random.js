// Chance that a test can repeat.

/** The same numbers between 0 and 1 for the same seed (mulberry32). */
export function randomFrom(seed) {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** The same whole numbers for the same seed: `random(n)` is below n. */
export function randomOf(seed) {
  const random = randomFrom(seed)
  return (below) => Math.floor(random() * below)
}

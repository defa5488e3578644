// The time of a line, as the clock says or since the log began.

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hour12: false,
})

/** @param {number} at milliseconds since 1970 @param {'off' | 'relative' | 'absolute'} how @param {number | null} start null: nobody knows yet */
export function timeInWords(at, how, start) {
  if (how === 'absolute') return CLOCK.format(at)
  if (how === 'off' || start === null) return ''
  const tenths = Math.max(0, Math.round((at - start) / 100))
  const seconds = (tenths / 10) % 60
  const minutes = Math.floor(tenths / 600) % 60
  const hours = Math.floor(tenths / 36_000)
  const rest = `${String(minutes).padStart(hours ? 2 : 1, '0')}:${seconds.toFixed(1).padStart(4, '0')}`
  return hours ? `+${hours}:${rest}` : `+${rest}`
}

/** The value of an `<input type="datetime-local">`, in the reader's own time. @param {number} at */
export function forInput(at) {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 19)
}

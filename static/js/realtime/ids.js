/** A new id for a frame. `crypto.randomUUID` is missing on plain http outside localhost, where a control room may well run. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID()

  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

// Saves a whole log as a file, and says how far it is.

import { Export } from '../../console/export.js'
import { make } from '../make.js'

/** @import {Format, ReadAfter} from '../../console/export.js' */

/** @param {object} options @param {Format} options.format @param {string} options.name @param {ReadAfter} options.readAfter @param {(share: number) => void} options.progress @param {AbortSignal} options.signal */
export async function save({ format, name, readAfter, progress, signal }) {
  const blob = await new Export(format).run({ readAfter, progress, signal })
  const url = URL.createObjectURL(blob)
  make('a', { href: url, download: `${name}.${format}` }).click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

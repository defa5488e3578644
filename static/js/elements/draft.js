// What is being typed survives a reload, a crash and a closed tab; it is forgotten when it has been sent.

import { forget, recall, remember } from '../memory.js'

/** Keep the named fields of `form` under `key`. @param {HTMLFormElement} form @param {string} key @returns {{forget: () => void}} */
export function keepDraft(form, key) {
  const name = `draft ${document.body.dataset.user} ${key}`
  const fields = () =>
    /** @type {(HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[]} */ ([...form.elements]).filter(
      ({ name }) => name,
    )

  const kept = recall(name) ?? {}
  let mine = kept
  for (const field of fields()) {
    const fits =
      field.localName !== 'select' ||
      [.../** @type {HTMLSelectElement} */ (field).options].some(({ value }) => value === kept[field.name])
    if (field.name in kept && fits) field.value = kept[field.name]
  }
  form.addEventListener('input', () => {
    mine = Object.fromEntries(fields().map(({ name, value }) => [name, value]))
    remember(name, mine)
  })
  return {
    forget() {
      // Another tab may write on what this one has not seen.
      if (JSON.stringify(recall(name)) === JSON.stringify(mine)) forget(name)
    },
  }
}

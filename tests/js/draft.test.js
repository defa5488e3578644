import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { keepDraft } from '../../static/js/elements/draft.js'

const NAME = 'draft 3 agent.1'
let kept = new Map()

beforeEach(() => {
  kept = new Map()
  Object.assign(globalThis, {
    document: { body: { dataset: { user: '3' } } },
    localStorage: {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => void kept.set(name, value),
      removeItem: (name) => void kept.delete(name),
    },
  })
})

/** A form as it stands in a page that was just loaded. */
function form() {
  const field = { name: 'line', localName: 'input', value: '' }
  let typed = () => {}
  return {
    field,
    elements: [field, { name: '', localName: 'button', value: '' }],
    addEventListener: (_type, listener) => {
      typed = listener
    },
    type(text) {
      field.value = text
      typed()
    },
  }
}

test('what is typed is there after a reload, until it has been sent', () => {
  const before = form()
  const draft = keepDraft(before, 'agent.1')
  before.type('uname -a')

  const after = form()
  keepDraft(after, 'agent.1')
  assert.equal(after.field.value, 'uname -a')

  draft.forget()
  const later = form()
  keepDraft(later, 'agent.1')
  assert.equal(later.field.value, '')
})

test('what is being typed in another tab is not forgotten with what this one has sent', () => {
  const [here, there] = [form(), form()]
  const draft = keepDraft(here, 'agent.1')
  keepDraft(there, 'agent.1')
  here.type('uname -a')
  there.type('make test')
  draft.forget()

  const after = form()
  const restored = keepDraft(after, 'agent.1')
  assert.equal(after.field.value, 'make test')
  restored.forget()
  assert.equal(kept.size, 0)
})

test('a storage that is spoiled, full or forbidden costs the draft, and not the page', () => {
  kept.set(NAME, '{"line": "una')
  const spoiled = form()
  keepDraft(spoiled, 'agent.1')
  assert.equal(spoiled.field.value, '')

  const refuse = () => {
    throw new DOMException('no', 'SecurityError')
  }
  Object.assign(globalThis.localStorage, { getItem: refuse, setItem: refuse, removeItem: refuse })
  const forbidden = form()
  const draft = keepDraft(forbidden, 'agent.1')
  forbidden.type('uname')
  draft.forget()
})

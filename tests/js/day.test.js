import assert from 'node:assert/strict'
import { test } from 'node:test'

globalThis.HTMLElement = class {
  textContent = ''
  getAttribute() {
    return this.datetime
  }
  hasAttribute() {
    return false
  }
}
globalThis.customElements = { define: () => {} }
const { TimeAt } = await import('../../static/js/elements/time-at.js')

test('a time of today gets its day when that is over, also after a night’s sleep', (t) => {
  const evening = new Date(2026, 10, 20, 23, 50)
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: evening.getTime() })
  const element = new TimeAt()
  element.datetime = evening.toISOString()
  element.connectedCallback()
  element.attributeChangedCallback()
  const time = element.textContent
  t.mock.timers.tick(9 * 60_000)
  assert.equal(element.textContent, time)
  t.mock.timers.tick(60_000)
  assert.notEqual(element.textContent, time)
  assert.match(element.textContent, /20/)

  element.datetime = new Date().toISOString()
  element.attributeChangedCallback()
  const next = element.textContent
  t.mock.timers.setTime(evening.getTime() + 40 * 3_600_000)
  t.mock.timers.tick(3_600_000)
  assert.notEqual(element.textContent, next)
  const last = element.textContent
  element.disconnectedCallback()
  t.mock.timers.tick(24 * 3_600_000)
  assert.equal(element.textContent, last)
})

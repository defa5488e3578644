import assert from 'node:assert/strict'
import { test } from 'node:test'
import { piecesOf } from '../../static/js/chat/links.js'

const addresses = (/** @type {string} */ text) => piecesOf(text).flatMap(({ href }) => (href ? [href] : []))

test('an address in a sentence is a link, and the sentence around it is not', () => {
  assert.deepEqual(addresses('See https://a.example/b?c=d#e.'), ['https://a.example/b?c=d#e'])
  assert.deepEqual(addresses('(http://a.example/x) and <https://b.example/y>, or'), [
    'http://a.example/x',
    'https://b.example/y',
  ])
  assert.deepEqual(addresses('https://a.example/wiki/Signal_(railway)'), ['https://a.example/wiki/Signal_(railway)'])
})

test('nothing of the text is lost or changed', () => {
  for (const text of [
    '',
    'no address',
    'https://',
    'https://a.example/ü x',
    '"https://a.example"<b>',
    'https://[',
    'x https://a.b:c d',
  ]) {
    assert.equal(
      piecesOf(text)
        .map((piece) => piece.text)
        .join(''),
      text,
    )
  }
})

test('only the web is linked', () => {
  for (const text of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'a.example', 'https://'])
    assert.deepEqual(addresses(text), [])
})

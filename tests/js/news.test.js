import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newsOf, noticeOf, refusalOf, tellNews } from '../../static/js/elements/news.js'
import { Feed } from '../../static/js/realtime/feed.js'

const task = (/** @type {object} */ data = {}) => ({
  type: 'task_update',
  data: { task_id: 't1', query: 'make lint', status: 'completed', purpose: '', exit_code: 0, ...data },
})
const run = (/** @type {object} */ data = {}) => ({
  type: 'run_update',
  data: { run_id: 'r1', project: 'Release', status: 'failed', ...data },
})

test('an end is news, good or bad, and leads to its page', () => {
  assert.deepEqual(newsOf(task()), {
    level: 'success',
    words: 'Task completed',
    detail: 'make lint',
    href: '/tasks/t1/',
    group: 'task completed',
    many: '% tasks completed',
  })
  assert.equal(newsOf(task({ status: 'failed', exit_code: 2 }))?.detail, 'make lint · exit 2')
  assert.equal(newsOf(run())?.words, 'Run failed')
  assert.equal(newsOf(run())?.level, 'error')
})

test('what has not ended, or was ended by a person, is none', () => {
  for (const status of ['queued', 'running', 'cancelled']) assert.equal(newsOf(task({ status })), null)
})

test('a step is its run’s affair', () => {
  assert.equal(newsOf(task({ purpose: 'step' })), null)
})

test('the page about a thing needs no note about it', () => {
  assert.equal(newsOf(run(), '/runs/r1/'), null)
  assert.equal(newsOf(task(), '/tasks/t1/'), null)
  assert.notEqual(newsOf(task(), '/tasks/'), null)
})

test('a long line is shortened', () => {
  assert.equal(newsOf(task({ query: 'x'.repeat(500) }))?.detail?.length, 120)
})

/** What a page tells, in a tab that remembers. @param {Feed} feed @param {Map<string, string>} [kept] */
function told(feed, kept = new Map()) {
  /** @type {any[]} */
  const told = []
  const memory = {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
  }
  tellNews({ follow: () => feed }, [feed.topic], (toast) => told.push(toast), memory)
  return told
}

test('what was missed and comes late is no news', () => {
  const feed = new Feed('team.1', { epoch: 'e', seq: 0 })
  const toasts = told(feed)
  feed.subscribed({ epoch: 'e', head: 1 })
  feed.accept({ ...task({ task_id: 'missed' }), topic: 'team.1', seq: 1, timestamp: '' })
  feed.accept({ ...task({ task_id: 'now' }), topic: 'team.1', seq: 2, timestamp: '' })
  assert.deepEqual(
    toasts.map(({ href }) => href),
    ['/tasks/now/'],
  )
})

const notice = (/** @type {object} */ data = {}, type = 'system') => ({
  type,
  data: { notice_id: 'n1', message: 'Back at ten', level: 'info', link: null, ...data },
})

test('a notice says for whom it is and how much it matters, and stays if it does', () => {
  const shown = noticeOf(notice({ link: '/tasks/' }))
  assert.deepEqual(
    [shown.words, shown.detail, shown.href, shown.level, shown.stays],
    ['Note for everybody', 'Back at ten', '/tasks/', 'info', false],
  )
  const levels = ['success', 'warning', 'error'].map((level) => noticeOf(notice({ level }, 'notification')))
  assert.deepEqual(
    levels.map(({ words, stays }) => [words, stays]),
    [
      ['Good news for you', false],
      ['Warning for you', true],
      ['Problem for you', true],
    ],
  )
  assert.equal(shown.many?.replace('%', '3'), 'Note for everybody (3×)')
})

test('the same notice at another level, or for another reader, is another toast', () => {
  const groups = [notice(), notice({ level: 'error' }), notice({}, 'notification'), notice({ message: 'Eleven' })]
  assert.equal(new Set(groups.map((one) => noticeOf(one).group)).size, 4)
})

test('a notice after the page’s cursor is told, even late, and one before it is not', () => {
  const feed = new Feed('system', { epoch: 'e', seq: 1 })
  const toasts = told(feed)
  feed.subscribed({ epoch: 'e', head: 2 })
  for (const seq of [1, 2, 3]) feed.accept({ ...notice({ message: `${seq}` }), topic: 'system', seq, timestamp: '' })
  assert.deepEqual(
    toasts.map(({ detail }) => detail),
    ['2', '3'],
  )
})

test('a page that comes back from the history tells nothing again that its tab has told', () => {
  const kept = new Map()
  /** @param {string} epoch @param {number} seq */
  const openedAt = (epoch, seq) => {
    const feed = new Feed('system', { epoch, seq: 0 })
    const toasts = told(feed, kept)
    feed.subscribed({ epoch, head: seq })
    for (let n = 1; n <= seq; n += 1) feed.accept({ ...notice(), topic: 'system', seq: n, timestamp: '' })
    return toasts.length
  }
  assert.equal(openedAt('e', 2), 2)
  assert.equal(openedAt('e', 3), 1)
  assert.equal(openedAt('restored', 1), 1)
})

test('what one wrote and was refused is told on every page but the one that shows it', () => {
  const refusal = { code: 'forbidden', message: 'You may only read here.' }
  const refused = { id: 'a', type: 'message', topic: 'chat.1234', data: { content: 'Hello' }, keep: true, refusal }
  const shown = refusalOf(refused, '/tasks/')
  assert.deepEqual([shown?.detail, shown?.href, shown?.stays], ['You may only read here.', '/chat/1234/', true])
  assert.equal(refusalOf(refused, '/chat/1234/'), null)
})

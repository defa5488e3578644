import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newsOf, tellNews } from '../../static/js/elements/news.js'
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

test('what was missed and comes late is no news', () => {
  const feed = new Feed('team.1', { epoch: 'e', seq: 0 })
  /** @type {any[]} */
  const told = []
  tellNews({ follow: () => feed }, ['team.1'], (toast) => told.push(toast))
  feed.subscribed({ epoch: 'e', head: 1 })
  feed.accept({ ...task({ task_id: 'missed' }), topic: 'team.1', seq: 1, timestamp: '' })
  feed.accept({ ...task({ task_id: 'now' }), topic: 'team.1', seq: 2, timestamp: '' })
  assert.deepEqual(
    told.map(({ href }) => href),
    ['/tasks/now/'],
  )
})

// What the run page knows by itself: the story of a run, its lanes in time, what is left of it, and what a tab remembers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leftInWords, NO_FORECAST, secondsLeft } from '../../static/js/runs/forecast.js'
import { isWaiting, sayStep } from '../../static/js/runs/interrupt.js'
import { layOut } from '../../static/js/runs/lanes.js'
import { Measures } from '../../static/js/runs/measures.js'
import { MOST, OpenRuns } from '../../static/js/runs/open-runs.js'
import { RunStory } from '../../static/js/runs/story.js'

const START = Date.parse('2026-11-20T22:00:00.000Z')
const at = (seconds) => new Date(START + seconds * 1000).toISOString()
const nothing = {
  agent: null,
  agent_id: null,
  label: 'local',
  exit_code: null,
  error: null,
  started_at: null,
  ended_at: null,
  attempt: 0,
}
const step = (key, more = {}) => ({ key, name: key, command: `run ${key}`, status: 'waiting', ...nothing, ...more })

function aRun(stages, more = {}) {
  const told = stages.map((steps, index) => ({ index, name: `stage ${index}`, status: 'waiting', steps }))
  return {
    id: 'r',
    project: 'Hello',
    status: 'running',
    done: 0,
    total: 9,
    started_at: at(0),
    ended_at: null,
    error: null,
    stages: told,
    ...more,
  }
}

function says(story, key, status, seconds, more = {}) {
  const data = {
    run_id: 'r',
    stage: 'stage 0',
    step: key,
    task_id: 't',
    ...nothing,
    agent: 'box-1',
    agent_id: 'a1',
    status,
    attempt: 1,
    ...more,
  }
  return story.apply({ type: 'agent_status_update', topic: 'run.r', seq: 1, timestamp: at(seconds), data })
}

test('a retry is another try, and what was known of the first one stays', () => {
  const story = new RunStory(aRun([[step('lint')]]))
  says(story, 'lint', 'queued', 0)
  says(story, 'lint', 'running', 1, { started_at: at(1) })
  says(story, 'lint', 'failed', 3, { started_at: at(1), ended_at: at(3), exit_code: 1 })
  says(story, 'lint', 'queued', 3, { attempt: 2, started_at: at(1) })
  // The task keeps the time of its first try; the second one began when it was said to run.
  says(story, 'lint', 'running', 4, { attempt: 2, started_at: at(1), agent: 'box-2' })
  says(story, 'lint', 'completed', 6, { attempt: 2, started_at: at(1), ended_at: at(6), exit_code: 0, agent: 'box-2' })
  const tries = story
    .step('lint')
    .tries.map(({ attempt, agent, status, started_at, ended_at }) => [attempt, agent, status, started_at, ended_at])
  assert.deepEqual(tries, [
    [1, 'box-1', 'failed', at(1), at(3)],
    [2, 'box-2', 'completed', at(4), at(6)],
  ])
  assert.deepEqual(
    story.agents.map(({ name }) => name),
    ['box-1', 'box-2'],
  )
})

test('applying the same events twice changes nothing', () => {
  const story = new RunStory(aRun([[step('lint')]]))
  const tell = () => {
    says(story, 'lint', 'running', 1, { started_at: at(1) })
    story.apply({ type: 'project_progress', timestamp: at(2), data: { done: 1, total: 9 } })
    story.apply({ type: 'project_completed', timestamp: at(3), data: { status: 'completed', ended_at: at(3) } })
  }
  tell()
  const once = JSON.stringify(story)
  tell()
  assert.equal(JSON.stringify(story), once)
  assert.equal(story.isOver, true)
})

test('events of the log and of unknown steps are none of its business', () => {
  const story = new RunStory(aRun([[step('lint')]]))
  assert.equal(story.apply({ type: 'workflow_log', timestamp: at(1), data: { text: 'x' } }), false)
  assert.equal(says(story, 'other', 'running', 1), false)
})

test('a lane has a row for each step that its agent does at the same time', () => {
  const story = new RunStory(aRun([[step('a'), step('b'), step('c')]]))
  says(story, 'a', 'completed', 4, { started_at: at(0), ended_at: at(4) })
  says(story, 'b', 'running', 1, { started_at: at(1) })
  says(story, 'c', 'completed', 9, { started_at: at(5), ended_at: at(9) })
  const { lanes, now, seconds } = layOut(story, NO_FORECAST, START + 10_000)
  assert.equal(lanes.length, 1)
  assert.equal(lanes[0].rows, 2)
  assert.deepEqual(
    lanes[0].bars.map(({ step, row }) => [step.key, row]),
    [
      ['a', 0],
      ['b', 1],
      ['c', 0],
    ],
  )
  assert.equal(lanes[0].bars[1].to, now, 'what runs reaches to now')
  assert.ok(seconds > 10 && seconds < 20)
})

test('every bar lies within the width, whatever the clocks say', () => {
  const story = new RunStory(aRun([[step('a'), step('b')]]))
  says(story, 'a', 'running', 1, { started_at: at(-5) })
  says(story, 'b', 'running', 1, { started_at: at(500) })
  for (const { bars } of layOut(story, NO_FORECAST, START + 10_000).lanes) {
    for (const { from, to } of bars) assert.ok(from >= 0 && from <= 1 && to >= 0 && to <= 1)
  }
})

test('nobody claims to know what was never seen', () => {
  const story = new RunStory(aRun([[step('a')], [step('b')]]))
  const words = (forecast) => leftInWords(story, forecast, START, (seconds) => `${seconds} s`)
  assert.equal(words(NO_FORECAST), 'no estimate: the first run')
  assert.equal(secondsLeft(story, { runs: 3, steps: { a: 4 }, stages: {} }, START), null)
  assert.match(words({ runs: 3, steps: { a: 4 }, stages: {} }), /never completed before/)
  assert.equal(words({ runs: 3, steps: { a: 4, b: 6 }, stages: { 1: 7 } }), 'about 11 s left')
})

test('a running stage takes as long as its slowest step still needs', () => {
  const state = aRun([
    [step('a', { status: 'running', attempt: 1, started_at: at(0) }), step('b', { status: 'queued' })],
    [step('c')],
  ])
  state.stages[0].status = 'running'
  const story = new RunStory(state)
  const forecast = { runs: 5, steps: { a: 10, b: 4, c: 2 }, stages: { 0: 10, 1: 2 } }
  assert.equal(secondsLeft(story, forecast, START + 3000), 7 + 2)
  assert.equal(secondsLeft(story, forecast, START + 60_000), 4 + 2, 'b has not even begun')
  story.apply({ type: 'project_error', timestamp: at(4), data: { code: 'step_failed', message: 'no', step: 'a' } })
  assert.equal(secondsLeft(story, forecast, START + 3000), 7, 'no further stage starts')
})

function storage() {
  const kept = new Map()
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) }
}
const open = (id, status = 'running') => ({ id, name: id, status, startedAt: at(0) })

test('open runs keep their place, the oldest gives way, and users do not share them', () => {
  const place = storage()
  const runs = new OpenRuns(place, '3')
  for (let n = 0; n <= MOST; n += 1) runs.open(open(`r${n}`))
  runs.open(open('r5', 'failed'))
  assert.deepEqual(
    runs.all.map(({ id }) => id),
    Array.from({ length: MOST }, (_, n) => `r${n + 1}`),
  )
  assert.equal(runs.all[4].status, 'failed')
  assert.deepEqual(new OpenRuns(place, '4').all, [])
})

test('closing an open run leads to its neighbour', () => {
  const runs = new OpenRuns(storage(), '3')
  for (const id of ['a', 'b', 'c']) runs.open(open(id))
  assert.equal(runs.close('b').id, 'c')
  assert.equal(runs.close('c').id, 'a')
  assert.equal(runs.close('a'), null)
  assert.equal(runs.note('a', 'failed'), false)
})

test('a storage that is spoiled costs the memory and nothing else', () => {
  const broken = { getItem: () => '{not json', setItem: () => false }
  const runs = new OpenRuns(broken, '3')
  runs.open(open('a'))
  assert.deepEqual(runs.all, [])
  const measures = new Measures(broken, 'a1', START)
  measures.add(START, { cpu_percent: 5, rss_bytes: 7 })
  assert.equal(measures.all.length, 1)
})

test('measures survive a reload, grow old, and each counts once', () => {
  const place = storage()
  const measures = new Measures(place, 'a1', START)
  measures.add(START, { cpu_percent: 5, rss_bytes: 7 })
  measures.add(START, { cpu_percent: 5, rss_bytes: 7 })
  for (let n = 1; n < 100; n += 1) measures.add(START + n, { cpu_percent: n })
  assert.equal(measures.all.length, 60)
  assert.deepEqual(new Measures(place, 'a1', START + 5000).all, measures.all)
  assert.deepEqual(new Measures(place, 'a1', START + 3_600_000).all, [])
})

test('each step of an interrupt says how long it took', () => {
  const times = { sent: at(0), delivered: at(0.012), stopped: at(6.25) }
  assert.deepEqual(
    ['sent', 'delivered', 'acknowledged', 'stopped'].map((step) => sayStep(times, step)),
    ['sent', 'delivered +12 ms', 'acknowledged', 'stopped +6.3 s'],
  )
  assert.equal(isWaiting({ sent: at(0) }, false), true)
  assert.equal(isWaiting({ sent: at(0) }, true), false)
})

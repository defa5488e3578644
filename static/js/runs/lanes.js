// Where each try of each step stands on the timeline: a lane per agent, rows within it where an agent works on several
// steps at once, and places in time as fractions of the whole width.

import { secondsLeft } from './forecast.js'

/** @import {RunStory, Stage, Step, Try} from './story.js' */
/** @import {Forecast} from './forecast.js' */

/** `from` and `to` are fractions of the width. @typedef {{step: Step, stage: Stage, one: Try, row: number, from: number, to: number}} Bar */
/** @typedef {{name: string, id: string | null, rows: number, bars: Bar[]}} Lane */
/** @typedef {{stage: Stage, from: number, to: number}} Band */
/** @typedef {{seconds: number, at: number}} Tick */
/** @typedef {{lanes: Lane[], bands: Band[], ticks: Tick[], now: number, seconds: number}} Layout */

const SHORTEST = 5
const ROOM_AHEAD = 1.08
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400]
/** A bar is drawn at least this wide, so the next one in its row has to wait for it. */
const NARROWEST = 0.012

/** @param {RunStory} story @param {Forecast} forecast @param {number} now milliseconds of the server's clock @returns {Layout} */
export function layOut(story, forecast, now) {
  const start = Date.parse(story.startedAt)
  const end = story.endedAt ? Date.parse(story.endedAt) : now
  const seconds = widthOf(story, forecast, (end - start) / 1000, now)
  const place = (/** @type {number} */ at) => Math.min(1, Math.max(0, (at - start) / 1000 / seconds))
  return {
    seconds,
    now: place(end),
    lanes: lanesOf(story, place, end),
    bands: bandsOf(story, place, end),
    ticks: ticksOf(seconds),
  }
}

/** How many seconds the whole width shows: what was, and what is expected. @param {RunStory} story @param {Forecast} forecast @param {number} elapsed @param {number} now */
function widthOf(story, forecast, elapsed, now) {
  if (story.isOver) return Math.max(elapsed * 1.005, 0.1)
  const left = secondsLeft(story, forecast, now) ?? 0
  // In steps, so that the bars don't shrink with every frame.
  const wanted = Math.max(SHORTEST, (elapsed + left) * ROOM_AHEAD)
  const step = 10 ** Math.floor(Math.log10(wanted)) / 4
  return Math.ceil(wanted / step) * step
}

/** @param {RunStory} story @param {(at: number) => number} place @param {number} end @returns {Lane[]} */
function lanesOf(story, place, end) {
  return story.agents.map(({ name, id }) => {
    /** @type {number[]} where each row is free again */
    const free = []
    /** @type {Bar[]} */
    const bars = []
    for (const bar of barsOf(story, name, place, end)) {
      const row = free.findIndex((at) => at <= bar.from + 1e-9)
      bar.row = row < 0 ? free.length : row
      free[bar.row] = Math.max(bar.to, bar.from + NARROWEST)
      bars.push(bar)
    }
    return { name, id, bars, rows: Math.max(1, free.length) }
  })
}

/** @param {RunStory} story @param {string} agent @param {(at: number) => number} place @param {number} end @returns {Bar[]} */
function barsOf(story, agent, place, end) {
  const bars = []
  for (const stage of story.stages) {
    for (const step of stage.steps) {
      for (const one of step.tries) {
        if (one.agent !== agent || !one.started_at) continue
        const until = one.ended_at ? Date.parse(one.ended_at) : end
        bars.push({ step, stage, one, row: 0, from: place(Date.parse(one.started_at)), to: place(until) })
      }
    }
  }
  return bars.sort((a, b) => a.from - b.from || a.to - b.to)
}

/** @param {RunStory} story @param {(at: number) => number} place @param {number} end @returns {Band[]} */
function bandsOf(story, place, end) {
  const bands = []
  for (const stage of story.stages) {
    const tries = stage.steps.flatMap(({ tries }) => tries).filter(({ started_at }) => started_at)
    if (!tries.length) continue
    const from = Math.min(...tries.map(({ started_at }) => Date.parse(started_at ?? '')))
    const to = Math.max(...tries.map(({ ended_at }) => (ended_at ? Date.parse(ended_at) : end)))
    bands.push({ stage, from: place(from), to: place(to) })
  }
  return bands
}

/** @param {number} seconds @returns {Tick[]} */
function ticksOf(seconds) {
  const gap = TICKS.find((gap) => seconds / gap <= 6) ?? Math.ceil(seconds / 6 / 86_400) * 86_400
  const all = Array.from({ length: Math.floor(seconds / gap) + 1 }, (_, n) => ({
    seconds: n * gap,
    at: (n * gap) / seconds,
  }))
  // The last one needs room for its number, on a phone too.
  return all.filter(({ at }) => at < 0.88)
}

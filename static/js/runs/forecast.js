// How long a run will still take, from the medians of earlier runs. Where a step was never seen to complete, nobody knows.

import { OPEN } from './story.js'

/** @import {RunStory, Stage, Step} from './story.js' */

/** Median seconds by step key and by stage index, of so many `runs`. @typedef {{runs: number, steps: Record<string, number>, stages: Record<string, number>}} Forecast */

/** @type {Forecast} */
export const NO_FORECAST = { runs: 0, steps: {}, stages: {} }

/** Seconds until the end as earlier runs had it; 0 when it should be over by now, null when nobody knows. @param {RunStory} story @param {Forecast} forecast @param {number} now milliseconds of the server's clock */
export function secondsLeft(story, forecast, now) {
  if (story.isOver) return 0
  let left = 0
  for (const stage of story.stages) {
    if (!OPEN.has(stage.status) || (story.isGoingDown && stage.status === 'waiting')) continue
    const here = stage.status === 'running' ? leftOfRunning(stage, forecast, now) : usual(stage, forecast)
    if (here === null) return null
    left += here
  }
  return left
}

/** In words, with where the number comes from. @param {RunStory} story @param {Forecast} forecast @param {number} now @param {(seconds: number) => string} inWords */
export function leftInWords(story, forecast, now, inWords) {
  if (story.isOver) return ''
  if (story.isGoingDown) return 'stopping'
  const left = secondsLeft(story, forecast, now)
  if (left === null)
    return forecast.runs ? 'no estimate: some steps never completed before' : 'no estimate: the first run'
  if (left < 0.5) return 'longer than usual'
  return `about ${inWords(left)} left`
}

/** @param {Stage} stage @param {Forecast} forecast */
function usual({ index, steps }, forecast) {
  const longest = longestOf(steps.map(({ key }) => forecast.steps[key] ?? null))
  return longest === null ? null : Math.max(longest, forecast.stages[index] ?? 0)
}

/** @param {Stage} stage @param {Forecast} forecast @param {number} now */
function leftOfRunning({ index, steps }, forecast, now) {
  const open = steps.filter(({ status }) => OPEN.has(status))
  const longest = longestOf(open.map((step) => leftOfStep(step, forecast, now)))
  if (longest === null) return null
  const begun = Math.min(...steps.map(({ started_at }) => (started_at ? Date.parse(started_at) : now)))
  const asStage = (forecast.stages[index] ?? 0) - (now - begun) / 1000
  // Only steps that still wait make the stage as a whole worth asking.
  return open.some(({ status }) => status !== 'running') ? Math.max(longest, asStage, 0) : longest
}

/** @param {Step} step @param {Forecast} forecast @param {number} now */
function leftOfStep({ key, status, tries }, forecast, now) {
  const median = forecast.steps[key]
  if (median === undefined) return null
  const begun = status === 'running' ? tries.at(-1)?.started_at : null
  return begun ? Math.max(0, median - (now - Date.parse(begun)) / 1000) : median
}

/** @param {(number | null)[]} seconds */
function longestOf(seconds) {
  return seconds.includes(null) ? null : Math.max(0, .../** @type {number[]} */ (seconds))
}

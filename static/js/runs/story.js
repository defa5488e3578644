// One run as this page knows it: the state that the server wrote into the page, kept true by the run's events. Applying
// an event twice changes nothing.

import { EVENT } from '../realtime/contract.js'

/** @import {StoredEvent} from '../realtime/types.d.ts' */

/** One attempt at a step, by one agent. Times are ISO 8601 or null.
 * @typedef {{attempt: number, agent: string | null, agent_id: string | null, status: string, exit_code: number | null, error: string | null, started_at: string | null, ended_at: string | null}} Try */
/** @typedef {Try & {key: string, name: string, command: string, label: string | null, tries: Try[], since: string | null}} Step */
/** @typedef {{index: number, name: string, status: string, steps: Step[]}} Stage */

export const OPEN = new Set(['waiting', 'queued', 'running'])

export class RunStory {
  /** @type {Stage[]} */
  stages = []
  /** @type {{code: string, message: string, step: string | null} | null} */
  error = null

  /** @param {any} state as `GET /api/v1/runs/<id>/` tells it @param {(Try & {step: string})[]} [tries] what came before the present tries */
  constructor({ stages, ...facts }, tries = []) {
    this.id = String(facts.id)
    this.name = String(facts.project)
    this.status = String(facts.status)
    this.done = Number(facts.done)
    this.total = Number(facts.total)
    /** @type {string} */
    this.startedAt = facts.started_at
    /** @type {string | null} */
    this.endedAt = facts.ended_at
    this.error = facts.error ?? null
    this.stages = stages.map((/** @type {any} */ stage) => ({
      ...stage,
      steps: stage.steps.map((/** @type {any} */ step) => ({ ...step, since: null, tries: [] })),
    }))
    for (const one of tries) this.#note(this.step(one.step), one)
    for (const step of this.steps) if (step.attempt) this.#note(step, step)
  }

  get steps() {
    return this.stages.flatMap((stage) => stage.steps)
  }

  get isOver() {
    return this.status !== 'running'
  }

  /** It will not complete; only what runs already comes to its end. */
  get isGoingDown() {
    return this.error !== null
  }

  /** @param {string} key @returns {Step | undefined} */
  step(key) {
    return this.steps.find((step) => step.key === key)
  }

  /** The agents that have or had a step, in the order of their names. @returns {{name: string, id: string | null}[]} */
  get agents() {
    /** @type {Map<string, string | null>} */
    const found = new Map()
    for (const { agent, agent_id } of this.steps.flatMap(({ tries }) => tries)) {
      if (agent) found.set(agent, agent_id ?? found.get(agent) ?? null)
    }
    return [...found]
      .map(([name, id]) => ({ name, id }))
      .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
  }

  /** Take in one event of the run's topic; whether this page has to show something else now. @param {StoredEvent} event */
  apply({ type, data, timestamp }) {
    switch (type) {
      case EVENT.WORKFLOW_STAGE_UPDATE: {
        const stage = this.stages[data.index]
        if (stage) stage.status = data.status
        return Boolean(stage)
      }
      case EVENT.AGENT_STATUS_UPDATE: {
        const step = this.step(data.step)
        if (!step) return false
        const { stage: _stage, step: _step, task_id: _task, run_id: _run, ...told } = data
        Object.assign(step, told, { since: timestamp })
        if (data.attempt) this.#note(step, { ...told, ...this.#timesOf(step, told, timestamp) })
        return true
      }
      case EVENT.PROJECT_PROGRESS:
        this.done = data.done
        this.total = data.total
        return true
      case EVENT.PROJECT_ERROR:
        this.error = { code: data.code, message: data.message, step: data.step }
        return true
      case EVENT.PROJECT_COMPLETED:
        this.status = data.status
        this.endedAt = data.ended_at
        return true
      default:
        return false
    }
  }

  /** A task keeps the time of its first try; a later try began when it was said to run. @param {Step} step @param {Try} told @param {string} timestamp */
  #timesOf(step, { attempt, status, started_at, ended_at }, timestamp) {
    const known = step.tries.find((one) => one.attempt === attempt)?.started_at
    const before = step.tries.find((one) => one.attempt === attempt - 1)?.ended_at
    if (known) return { started_at: known, ended_at }
    if (status === 'queued' || !started_at) return { started_at: null, ended_at }
    return { started_at: before && started_at < before ? timestamp : started_at, ended_at }
  }

  /** @param {Step | undefined} step @param {Try} told */
  #note(step, told) {
    if (!step) return
    const { attempt, agent, agent_id, status, exit_code, error, started_at, ended_at } = told
    const one = { attempt, agent, agent_id, status, exit_code, error, started_at, ended_at }
    const at = step.tries.findIndex((known) => known.attempt === attempt)
    if (at < 0) step.tries.push(one)
    // What was known of a try's beginning stays, whoever tells its end.
    else step.tries[at] = { ...one, started_at: step.tries[at].started_at ?? started_at }
    step.tries.sort((a, b) => a.attempt - b.attempt)
  }
}

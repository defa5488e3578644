// A server that plays along with a script: `ScriptedServer` stands behind WebSocket and fetch, and keeps one log per
// topic. Nothing of the client is replaced.

import { deflateRawSync } from 'node:zlib'

export class ScriptedServer {
  sockets = []
  requests = []
  topics = new Map()
  /** Switches that a test turns. */
  socketsWork = true
  httpWorks = true
  answersPing = true
  /** What its clock shows. */
  time = 0
  acks = true
  forbidden = new Set()
  /** What it says to a `subscribe`, in place of following: a refusal, or `false` for nothing at all. */
  refuses = (_topic) => null
  /** How many topics a socket may follow. */
  most = 50
  /** Commands that were carried out, each once. */
  done = []
  #refs = new Map()

  install() {
    const server = this
    globalThis.location = new URL('http://server.test/')
    globalThis.WebSocket = class extends ScriptedSocket {
      constructor(url) {
        super(url, server)
      }
    }
    globalThis.WebSocket.OPEN = 1
    globalThis.fetch = (url, init) => this.#fetch(new URL(url, 'http://server.test/'), init)
    return this
  }

  topic(name) {
    if (!this.topics.has(name)) this.topics.set(name, { epoch: 'e1', floor: 0, events: [] })
    return this.topics.get(name)
  }

  /** Store an event without telling anyone. */
  store(name, data = {}, type = 'message') {
    const { events } = this.topic(name)
    const event = { type, topic: name, seq: events.length + 1, timestamp: '2026-11-20T22:00:00.000Z', data }
    events.push(event)
    return event
  }

  /** Store an event and push it to everyone who follows. */
  say(name, data, type) {
    const event = this.store(name, data, type)
    for (const socket of this.sockets) if (socket.follows.has(name)) socket.push(event)
    return event
  }

  get socket() {
    return this.sockets.findLast((socket) => socket.readyState === 1)
  }

  /** What the server says to a frame. */
  answer(socket, frame) {
    const { type, id, topic: name, data } = frame
    if (type === 'auth' || type === 'received') return
    if (type === 'unsubscribe') return socket.follows.delete(name)
    if (type === 'ping') return this.answersPing && socket.push({ type: 'pong', id, data: { time: this.time } })
    if (type === 'subscribe') return this.#subscribe(socket, frame)
    if (type === 'presence') return socket.push({ type: 'ack', id })
    if (!this.acks) return
    if (!this.#refs.has(id)) {
      this.done.push(data)
      this.#refs.set(id, this.store(name, data, type))
    }
    const event = this.#refs.get(id)
    socket.push({ type: 'ack', id, data: { topic: name, seq: event.seq, data } })
    for (const one of this.sockets) if (one.follows.has(name)) one.push(event)
  }

  #subscribe(socket, { id, topic: name, data }) {
    if (this.forbidden.has(name)) {
      return socket.push({ type: 'error', id, data: notFound(name) })
    }
    const refusal = socket.follows.size < this.most ? this.refuses(name) : { code: 'too_fast', message: '' }
    if (refusal === false) return
    if (refusal) return socket.push({ type: 'error', id, data: refusal })
    const topic = this.topic(name)
    const head = topic.events.length
    socket.follows.add(name)
    const lost = (data.epoch && data.epoch !== topic.epoch) || data.after < topic.floor
    const about = { topic: name, epoch: topic.epoch, head }
    if (lost) socket.push({ type: 'reset', topic: name, data: { ...about, floor: topic.floor } })
    socket.push({ type: 'subscribed', id, topic: name, data: { ...about, recovered: !lost } })
    const missed = lost || data.after === undefined ? [] : topic.events.slice(data.after)
    if (missed.length) socket.push({ type: 'batch', messages: missed })
  }

  async #fetch(url, init = {}) {
    this.requests.push(url.pathname + url.search)
    await null
    if (!this.httpWorks) throw new TypeError('fetch failed')
    if (url.pathname === '/health') return Response.json({ status: 'ok' })
    if (url.pathname === '/api/v1/frames/') return this.#posted(JSON.parse(init.body))
    return this.#read(url.searchParams, init)
  }

  #posted(frame) {
    let answer
    const pusher = {
      push: (said) => {
        if (said.id === frame.id) answer = said
      },
      follows: new Set(),
    }
    this.answer(pusher, frame)
    return answer ? Response.json(answer) : new Response('', { status: 502 })
  }

  async #read(query, init) {
    const name = query.get('topic')
    const topic = this.topic(name)
    if (this.forbidden.has(name)) return Response.json({ error: notFound(name) }, { status: 404 })
    if (query.has('before')) return this.#readBefore(name, Number(query.get('before')))
    const after = Number(query.get('after'))
    const wait = Number(query.get('wait') ?? 0) * 1000
    const until = performance.now() + Math.min(wait, 200)
    while (topic.events.length <= after && performance.now() < until) {
      if (init.signal?.aborted) throw new DOMException('aborted', 'AbortError')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (!this.httpWorks) throw new TypeError('fetch failed')
    const head = topic.events.length
    const epoch = query.get('epoch')
    const reset = (epoch !== null && epoch !== topic.epoch) || after < topic.floor
    const events = reset ? [] : topic.events.slice(after, after + 500)
    return Response.json({ topic: name, epoch: topic.epoch, head, floor: topic.floor, reset, events })
  }

  #readBefore(name, before) {
    const { epoch, floor, events } = this.topic(name)
    const page = events.filter(({ seq }) => seq < before).slice(-500)
    return Response.json({ topic: name, epoch, head: events.length, floor, reset: false, events: page })
  }
}

class ScriptedSocket {
  readyState = 0
  follows = new Set()
  sent = []
  #server

  constructor(url, server) {
    this.url = url
    this.#server = server
    server.sockets.push(this)
    queueMicrotask(() => {
      if (this.readyState !== 0) return
      if (!server.socketsWork) return this.cut(1006)
      this.readyState = 1
      this.onopen?.({})
      const limits = { topics: server.most }
      this.push({ type: 'connection_established', data: { connection_id: 'c', heartbeat_interval: 25, limits } })
    })
  }

  send(text) {
    const frame = JSON.parse(text)
    this.sent.push(frame)
    queueMicrotask(() => this.readyState === 1 && this.#server.answer(this, frame))
  }

  push(frame) {
    if (this.readyState === 1) this.onmessage?.({ data: JSON.stringify(frame) })
  }

  pushDeflated(frame) {
    const bytes = deflateRawSync(JSON.stringify(frame))
    this.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) })
  }

  cut(code = 1006) {
    if (this.readyState === 3) return
    this.readyState = 3
    this.onclose?.({ code, reason: '' })
  }

  close() {
    this.readyState = 3
  }
}

const notFound = (name) => ({ code: 'not_found', message: `There is no topic ${name}.` })

export const oneTo = (n) => Array.from({ length: n }, (_, index) => index + 1)

/** Wait until something is so, looking again every few milliseconds. */
export async function until(fact, what = fact.toString(), ms = 8000) {
  const end = performance.now() + ms
  while (!fact()) {
    if (performance.now() > end) throw new Error(`never came true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

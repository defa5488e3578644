// The shapes that the modules of this folder pass to each other. Not served: read by editors and `tsc --checkJs` only.

/** Anything that travels on the wire, in either direction. */
export type Frame = {
  type: string
  id?: string
  topic?: string
  seq?: number
  timestamp?: string
  // biome-ignore lint/suspicious/noExplicitAny: each type of frame has its own
  data?: any
  messages?: Frame[]
}

/** A stored fact: a frame with a place in its topic. */
export type StoredEvent = Frame & { topic: string; seq: number; timestamp: string }

/** The last event that a reader has. `seq` null: it has none and wants only what is new. */
export type Cursor = { epoch: string | null; seq: number | null }

/** What a server says when it refuses. `retry_after` is in seconds. */
export type Refusal = { code: string; message: string; retry_after?: number }

/** Why a line ended: a WebSocket close code, and the refusal that came before it, if one did. */
export type Ending = { code: number; refusal: Refusal | null }

/** What the server says first. */
export type Hello = {
  heartbeat_interval?: number
  connection_id?: string
  user?: { id: number; name: string } | null
  limits?: Record<string, number>
  /** The new line follows already what the one before did. */
  resumed?: boolean
}

/** Bytes in and out. */
export type Traffic = { received: number; sent: number }

/** One way to the server that lives once: Socket and Poller. */
export interface Line {
  open(): void
  close(): void
  /** false: this line can't carry it now. */
  send(frame: Frame): boolean
}

export interface LineListener {
  opened(hello: Hello): void
  /** `beside`: it came another way, and says nothing of whether the line lives. */
  received(frame: Frame, beside?: boolean): void
  closed(ending: Ending): void
  /** How many milliseconds lie between two questions; null: one is always held open. Lines that ask tell it. */
  paced?(delay: number | null): void
}

/** How it stands, for people. */
export type Status = {
  state: 'idle' | 'connecting' | 'live' | 'polling' | 'reconnecting' | 'offline' | 'stopped'
  transport: 'websocket' | 'http' | null
  /** Milliseconds between two questions, if the line is one that asks. */
  delay: number | null
  /** Milliseconds there and back, null until measured. */
  latency: number | null
  /** By how many milliseconds that varies. */
  jitter: number | null
  /** What the server's clock showed when it was measured, as milliseconds since the epoch. */
  serverTime: number | null
  /** Attempts in a row that failed, or whose line did not last. */
  attempt: number
  /** Milliseconds until the next attempt, null if none is planned. */
  retryIn: number | null
  refusal: Refusal | null
  /** How often a line came up again after a cut. */
  reconnects: number
  /** Bytes in and out. */
  received: number
  sent: number
  /** How many tabs share the line, if they do, and for how many milliseconds the leading one is hidden. */
  tabs?: number
  hiddenFor?: number
}

/** A way to the server that is kept up: Connection, and Tabs, which shares one Connection between tabs. */
export interface Wire {
  readonly status: Status
  /** Whether this tab keeps it up for the others, where several share one. */
  readonly isLeading?: boolean
  start(): void
  stop(): void
  /** A person asks: try now. */
  retry(): void
  /** The page woke up or the network came back: doubt what you believe. */
  wake(): void
  /** Measure the latency now. */
  measure(): void
  send(frame: Frame): boolean
}

export interface WireListener {
  /** A line is up; it knows nothing of the one before. */
  opened(hello: Hello): void
  received(frame: Frame): void
  changed(status: Status): void
}

/** A command frame that waits for its answer. */
// biome-ignore lint/suspicious/noExplicitAny: as in Frame
export type Entry = { id: string; type: string; topic: string | null; data: any; keep: boolean }

/** A frame that was to be kept, and that the server has refused for good. */
export type Refused = Entry & { refusal: Refusal }

/** What an earlier page had written, oldest first: what waits for its answer, and what was refused. */
export type Left = { waiting: (Entry & { answer: Promise<unknown> })[]; refused: Refused[] }

/** Where entries wait across reloads: to be sent, or to be seen by whoever wrote what was refused. */
export interface Store {
  all(): Promise<(Entry | Refused)[]>
  /** In place of the one that has its id, if there is one. */
  put(entry: Entry | Refused): Promise<void>
  remove(id: string): Promise<void>
  /** The page goes away: hold nothing open. */
  close?(): void
}

/** One page of a topic's log. */
export type Page = { topic: string; epoch: string; head: number; floor: number; reset: boolean; events: StoredEvent[] }

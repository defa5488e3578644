// One chat session: what was said, what is being sent, and who is writing.

import '../websocket.js'
import { Talk } from '../chat/talk.js'
import { Writers } from '../chat/writers.js'
import { keepDraft } from '../elements/draft.js'
import { copyOf, fill, pressed, sayProblem } from '../elements/fill.js'
import { client, feeds } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

/** @import {Refused} from '../realtime/types.d.ts' */

const TYPING_SAID_EVERY = 2000
/** Of what is refused with these, the same words are never taken. */
const NEVER = new Set(['invalid', 'too_large', 'bad_frame'])

const [feed] = feeds
const { user = '', name = '' } = document.body.dataset
const me = { id: Number(user), name }
const talk = new Talk(element('messages'), element('newest'), me.id)
const writers = new Writers(element('typing'))
const form = /** @type {HTMLFormElement | null} */ (document.getElementById('write'))
const box = /** @type {HTMLTextAreaElement | null} */ (form?.elements.namedItem('content') ?? null)
const title = document.title

feed.on(EVENT.MESSAGE, (event) => {
  const { timestamp, data } = event
  if (talk.has(data.message_id)) return
  talk.add(data.message_id, { ...data, at: timestamp }, document.hidden || feed.isReplay(event))
  writers.stops(data.author.name)
  showUnread()
})
feed.on(EVENT.MEMBER_ADDED, ({ data }) => {
  talk.note(`${data.by} added ${data.member.name}.`)
  changePeople(data.member, true)
})
feed.on(EVENT.MEMBER_REMOVED, ({ data }) => {
  talk.note(data.by === data.member.name ? `${data.member.name} has left.` : `${data.by} removed ${data.member.name}.`)
  changePeople(data.member, false)
})
feed.on(EVENT.TYPING, ({ data }) => {
  if (data.who.id === me.id) return
  if (data.active) writers.starts(data.who.name)
  else writers.stops(data.who.name)
})
client.on('error', ({ data }) => talk.note(`The server refused what this page said: ${data.message}`, 'error'))

showOurs()

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) talk.seen()
  showUnread()
})

if (form && box) {
  const draft = keepDraft(form, feed.topic)
  let saidTypingAt = Number.NEGATIVE_INFINITY
  const sayLength = () => {
    const words = tooLong(box.value, Number(form.dataset.mostBytes))
    sayProblem(form, words)
    return words
  }
  sayLength()
  box.addEventListener('input', () => {
    sayLength()
    if (performance.now() - saidTypingAt < TYPING_SAID_EVERY) return
    saidTypingAt = performance.now()
    client.whisper(FRAME.TYPING, feed.topic, { active: true })
  })
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const content = box.value
    if (!content.trim() || sayLength()) return
    box.value = ''
    draft.forget()
    saidTypingAt = Number.NEGATIVE_INFINITY
    follow(bubbleOf(content), content, client.send(FRAME.MESSAGE, feed.topic, { content }))
  })
}

const adding = /** @type {HTMLFormElement | null} */ (document.getElementById('add-member'))
adding?.addEventListener('submit', async (event) => {
  event.preventDefault()
  const button = /** @type {HTMLButtonElement} */ (adding.querySelector('button'))
  const user_id = Number(new FormData(adding).get('user_id'))
  const ack = await pressed(button, element('members'), () => client.ask(FRAME.MEMBER_ADD, feed.topic, { user_id }))
  if (ack) offer(user_id, null)
})

element('people').addEventListener('click', async ({ target }) => {
  const button = /** @type {HTMLButtonElement | null} */ (/** @type {Element} */ (target).closest('button'))
  const user_id = Number(/** @type {HTMLElement | null} */ (button?.closest('[data-person]'))?.dataset.person)
  if (!button || !user_id) return
  // Who has left can't come back by themselves.
  if (user_id === me.id && button.textContent === 'Leave') {
    button.textContent = 'Really leave?'
    button.onblur = () => (button.textContent = 'Leave')
    return
  }
  const remove = () => client.ask(FRAME.MEMBER_REMOVE, feed.topic, { user_id })
  const ack = await pressed(button, element('members'), remove)
  if (ack && user_id === me.id) location.assign('/chat/')
})

/** What an earlier page of ours has not got through yet, and what was refused, there or elsewhere. */
async function showOurs() {
  const { waiting, refused } = await client.loaded
  for (const one of refused) if (one.topic === feed.topic) refuse(bubbleOf(one.data.content), one)
  for (const { topic, data, answer } of waiting) {
    if (topic === feed.topic) follow(bubbleOf(data.content), data.content, answer)
  }
}

/** See what becomes of a message. @param {HTMLElement} bubble @param {string} content @param {Promise<any>} answer */
async function follow(bubble, content, answer) {
  try {
    const { data } = await answer
    if (talk.has(data.message_id)) talk.remove(bubble)
  } catch (error) {
    const refused = client.refused.findLast(({ topic, data }) => topic === feed.topic && data.content === content)
    if (refused) return refuse(bubble, refused)
    // It has never left this page.
    giveBack(bubble, content)
    talk.note(error instanceof Error ? error.message : String(error), 'error')
  }
}

/** @param {HTMLElement} bubble @param {Refused} refused */
function refuse(bubble, { id, data: { content }, refusal }) {
  const takeBack = () => {
    client.dismiss(id)
    giveBack(bubble, content)
  }
  const again = () => {
    talk.sending(bubble)
    // The button is gone, and whoever pressed it is with the messages.
    element('messages').focus({ preventScroll: true })
    follow(bubble, content, client.again(id))
  }
  /** @type {Record<string, () => void>} */
  const ways = NEVER.has(refusal.code) ? { Edit: takeBack } : { 'Try again': again, 'Take back': takeBack }
  talk.refused(bubble, refusal.message, ways)
}

/** By how much, if so. @param {string} content @param {number} mostBytes */
function tooLong(content, mostBytes) {
  const bytes = new TextEncoder().encode(content).length
  if (!(bytes > mostBytes)) return ''
  const over = Math.ceil((content.length * (bytes - mostBytes)) / bytes)
  return `This is too long by about ${over.toLocaleString()} characters. Shorten it, or send it in parts.`
}

/** @param {HTMLElement} bubble @param {string} content */
function giveBack(bubble, content) {
  talk.remove(bubble)
  if (!box) return
  box.value = box.value ? `${box.value}\n${content}` : content
  box.dispatchEvent(new Event('input', { bubbles: true }))
  box.focus()
}

/** @param {string} content */
function bubbleOf(content) {
  return talk.send({ content, author: me, at: new Date().toISOString() })
}

/** @param {{id: number, name: string}} person @param {boolean} isHere */
function changePeople({ id, name }, isHere) {
  const people = element('people')
  people.querySelector(`[data-person="${id}"]`)?.remove()
  if (isHere) {
    const row = copyOf('person')
    row.dataset.person = String(id)
    fill(row, { name, initial: name.slice(0, 1).toUpperCase() })
    people.append(row)
  }
  offer(id, isHere ? null : name)
  const count = people.children.length
  element('count').textContent = `${count} ${count === 1 ? 'person' : 'people'}`
}

/** Who can be added: by name, or not any more. @param {number} id @param {string | null} name */
function offer(id, name) {
  const select = adding?.querySelector('select')
  if (!adding || !select) return
  select.querySelector(`option[value="${id}"]`)?.remove()
  if (name !== null) select.add(new Option(name, String(id)))
  adding.hidden = select.options.length < 2
}

function showUnread() {
  const words = document.hidden && talk.unread ? `(${talk.unread}) ${title}` : title
  if (document.title !== words) document.title = words
}

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id))
}

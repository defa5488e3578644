// One chat session: what was said, what is being sent, and who is writing.

import '../websocket.js'
import { copyOf, fill, pressed } from '../elements/fill.js'
import { client, feeds } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

const TYPING_LASTS = 5000
const TYPING_SAID_EVERY = 2000

const [feed] = feeds
const me = Number(document.body.dataset.user)
const messages = /** @type {HTMLElement} */ (document.getElementById('messages'))
const typing = /** @type {HTMLElement} */ (document.getElementById('typing'))
const form = /** @type {HTMLFormElement | null} */ (document.getElementById('write'))
const draft = `draft ${feed.topic} ${me}`

/** Messages of ours that are on their way: their bubbles, by what they say. @type {{content: string, bubble: HTMLElement}[]} */
const onTheirWay = []
/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const writers = new Map()

feed.on(EVENT.MESSAGE, ({ timestamp, data }) => {
  if (messages.querySelector(`[data-message="${data.message_id}"]`)) return
  if (data.author.id === me) arrived(data.content)
  const bubble = bubbleOf(data.content, data.author.name, data.author.id === me)
  bubble.dataset.message = data.message_id
  fill(bubble, { at: timestamp })
  place(bubble)
  stopsTyping(data.author.name)
})

feed.on(EVENT.MEMBER_ADDED, ({ data }) => notice(`${data.by} added ${data.member.name}.`))
feed.on(EVENT.MEMBER_REMOVED, ({ data }) => notice(`${data.member.name} has left.`))

feed.on(EVENT.TYPING, ({ data }) => {
  if (data.who.id === me) return
  stopsTyping(data.who.name)
  if (data.active)
    writers.set(
      data.who.name,
      setTimeout(() => stopsTyping(data.who.name), TYPING_LASTS),
    )
  showTyping()
})

// What an earlier page of ours has not got through yet.
client.loaded?.then(() => {
  for (const { data, answer } of client.waitingOn(feed.topic)) see(onTheWay(data.content), answer)
})
messages.scrollTop = messages.scrollHeight

if (form) {
  const box = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('content'))
  let saidTypingAt = 0
  box.value = sessionStorage.getItem(draft) ?? ''

  box.addEventListener('input', () => {
    sessionStorage.setItem(draft, box.value)
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
    if (!content.trim()) return
    box.value = ''
    sessionStorage.removeItem(draft)
    saidTypingAt = 0
    see(onTheWay(content), client.send(FRAME.MESSAGE, feed.topic, { content }))
  })
}

const adding = /** @type {HTMLFormElement | null} */ (document.getElementById('add-member'))
adding?.addEventListener('submit', async (event) => {
  event.preventDefault()
  const button = /** @type {HTMLButtonElement} */ (adding.querySelector('button'))
  const user_id = Number(new FormData(adding).get('user_id'))
  await pressed(button, adding, () => client.ask(FRAME.MEMBER_ADD, feed.topic, { user_id }))
})

/** See what becomes of a message. @param {HTMLElement} bubble @param {Promise<any>} answer */
async function see(bubble, answer) {
  try {
    const { data } = await answer
    if (!messages.querySelector(`[data-message="${data.message_id}"]`)) return
    bubble.remove()
    forget(bubble)
  } catch (error) {
    bubble.dataset.state = 'refused'
    fill(bubble, { state: `Not sent. ${error instanceof Error ? error.message : error}` })
    forget(bubble)
  }
}

/** @param {string} content */
function onTheWay(content) {
  const bubble = bubbleOf(content, document.body.dataset.name ?? '', true)
  bubble.dataset.state = 'waiting'
  fill(bubble, { state: 'Sending…' })
  onTheirWay.push({ content, bubble })
  place(bubble)
  return bubble
}

/** The oldest message of ours that says this has got through. @param {string} content */
function arrived(content) {
  const found = onTheirWay.find((sent) => sent.content === content)
  if (!found) return
  found.bubble.remove()
  forget(found.bubble)
}

/** @param {HTMLElement} bubble */
function forget(bubble) {
  const index = onTheirWay.findIndex((sent) => sent.bubble === bubble)
  if (index >= 0) onTheirWay.splice(index, 1)
}

/** @param {string} content @param {string} author @param {boolean} mine */
function bubbleOf(content, author, mine) {
  const bubble = copyOf('message')
  if (mine) bubble.dataset.mine = ''
  fill(bubble, { content, author, at: new Date().toISOString() })
  return bubble
}

/** @param {string} words */
function notice(words) {
  const line = document.createElement('p')
  line.className = 'notice'
  line.textContent = words
  place(line)
}

/** What is on its way stays below what was said. @param {HTMLElement} element */
function place(element) {
  const wasAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 60
  const isOnItsWay = element.dataset.state === 'waiting'
  messages.insertBefore(element, isOnItsWay ? null : (onTheirWay[0]?.bubble ?? null))
  document.getElementById('nothing-said')?.setAttribute('hidden', '')
  if (wasAtEnd || isOnItsWay) messages.scrollTop = messages.scrollHeight
}

/** @param {string} name */
function stopsTyping(name) {
  clearTimeout(writers.get(name))
  writers.delete(name)
  showTyping()
}

function showTyping() {
  const names = [...writers.keys()]
  if (names.length === 0) typing.textContent = ''
  else typing.textContent = names.length === 1 ? `${names[0]} is writing…` : `${names.join(' and ')} are writing…`
}

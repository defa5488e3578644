// Logs in for a token, tells the client where to get one, and includes the one script.

const SERVER = new URLSearchParams(location.search).get('server') ?? 'http://127.0.0.1:8000'
const form = document.getElementById('login')
let tokens

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { username, password, topic } = Object.fromEntries(new FormData(form))
  try {
    tokens = await post('/api/v1/auth/token/', { username, password })
  } catch (error) {
    form.querySelector('output').textContent = error.message
    return
  }
  form.hidden = true

  // Who asks: an access token, a fresh one each time. It is asked for when a socket opens and before one runs out.
  globalThis.signalbox = { token: freshToken }
  const { client } = await import(`${SERVER}/static/js/websocket.js`)

  client.follow(topic, { epoch: null, seq: 0 })
  for (const type of ['message', 'task_update', 'agent_update', 'run_update', 'workflow_log', 'custom_event'])
    client.on(type, show)
})

async function freshToken() {
  tokens = { ...tokens, ...(await post('/api/v1/auth/token/refresh/', { refresh: tokens.refresh })) }
  return tokens.access
}

async function post(path, data) {
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(SERVER + path, { method: 'POST', headers, body: JSON.stringify(data) })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error?.message ?? `The server says ${response.status}.`)
  return answer
}

function show({ type, seq, data }) {
  const line = document.createElement('li')
  line.textContent = `${seq} ${type} ${JSON.stringify(data)}`
  document.getElementById('events').append(line)
}

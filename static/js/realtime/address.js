// Where the sockets are, and whether there are any.

/** The address of the page, where there is one. */
const here = () => globalThis.location?.href

/** Whether this browser has WebSocket at all; a network may still not let it through. */
export function hasWebSocket() {
  return typeof globalThis.WebSocket === 'function'
}

/** The socket that follows a project's current run from the start: wss where the page is https. @param {string} projectId @param {string} [base] the server's address, ending in a slash; left out: the page's own */
export function projectSocketUrl(projectId, base = '/') {
  return socketUrl(base, `ws/admin/agent-swarm/${encodeURIComponent(projectId)}`)
}

/** A socket of the server at `base`: wss where the page is https. @param {string} base @param {string} [path] */
export function socketUrl(base, path = 'ws/') {
  const url = new URL(path, new URL(base, here()))
  url.protocol = url.protocol.replace('http', 'ws')
  return url.href
}

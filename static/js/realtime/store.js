// Where the outbox keeps what a person has written, so that a reload or a crash does not cost it. One per user: what
// alice wrote is never sent by bob.

/** @import {Entry, Refused, Store} from './types.d.ts' */

const ENTRIES = 'outbox'

/** @implements {Store} */
export class IndexedStore {
  /** @type {Promise<IDBDatabase> | null} */
  #database = null
  #name

  /** @param {string} user */
  constructor(user) {
    this.#name = `signalbox-${user}`
  }

  /** @returns {Promise<(Entry | Refused)[]>} oldest first */
  async all() {
    const rows = await this.#do('readonly', (entries) => entries.getAll())
    return rows.map(({ n: _, ...entry }) => entry)
  }

  /** @param {Entry} entry in place of the one that has its id, if there is one */
  async put(entry) {
    await this.#do('readwrite', (entries) => {
      const place = entries.index('id').getKey(entry.id)
      place.addEventListener('success', () => entries.put(place.result ? { ...entry, n: place.result } : entry))
      return place
    })
  }

  /** @param {string} id */
  async remove(id) {
    const n = await this.#do('readonly', (entries) => entries.index('id').getKey(id))
    if (n !== undefined) await this.#do('readwrite', (entries) => entries.delete(n))
  }

  /** Hold nothing open; it is opened again when it is needed. */
  async close() {
    const database = this.#database
    this.#database = null
    const opened = await database?.catch(() => null)
    opened?.close()
  }

  /** What fails or is closed by the browser is opened anew when it is needed. */
  #open() {
    const opening = open(this.#name)
    const forget = () => {
      if (this.#database === opening) this.#database = null
    }
    opening.then((database) => {
      database.onclose = forget
      database.onversionchange = () => {
        forget()
        database.close()
      }
    }, forget)
    return opening
  }

  /** @template T @param {IDBTransactionMode} mode @param {(entries: IDBObjectStore) => IDBRequest<T>} step @returns {Promise<T>} */
  async #do(mode, step) {
    this.#database ??= this.#open()
    const transaction = (await this.#database).transaction(ENTRIES, mode)
    return await result(step(transaction.objectStore(ENTRIES)))
  }
}

/** @param {string} name @returns {Promise<IDBDatabase>} */
function open(name) {
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => {
    const entries = request.result.createObjectStore(ENTRIES, { keyPath: 'n', autoIncrement: true })
    entries.createIndex('id', 'id', { unique: true })
  }
  return result(request)
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

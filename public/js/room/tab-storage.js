// What a tab keeps of a room across a reload: unsent words, muted people, the scroll position. Browsers write
// sessionStorage to the disk, so it holds them only while the page is away.

/** The storage key of one item. @param {string} what @param {string} room */
const keyOf = (what, room) => `huechat:${what}:${room}`;
const KEY = /^huechat:[a-z]+:([a-z2-7]{16})$/;

export class TabStorage {
  #room;
  /** The items by name, each with the function that returns its value; empty for nothing. @type {Map<string, () => string>} */
  #items = new Map();
  /** Whether the page is gone, or the reader has left the room: nothing changes any more. */
  #closed = false;

  /** @param {string} room */
  constructor(room) {
    this.#room = room;
    document.addEventListener("visibilitychange", () => this.update());
  }

  /**
   * Keeps an item, and returns the value that the page before the reload has left; empty for none.
   * @param {string} what
   * @param {() => string} read Returns the current value.
   */
  keep(what, read) {
    this.#items.set(what, read);
    return stored(keyOf(what, this.#room));
  }

  /** Applies a change of a value, or of the visibility of the page. */
  update() {
    if (this.#closed) return;
    if (document.hidden) this.#store();
    else this.#clear();
  }

  /** Stores all items, because the page goes away. */
  close() {
    if (!this.#closed) this.#store();
    this.#closed = true;
  }

  /** Deletes all items for good. */
  forget() {
    this.#closed = true;
    this.#clear();
  }

  #store() {
    for (const [what, read] of this.#items) store(keyOf(what, this.#room), read());
  }

  #clear() {
    for (const what of this.#items.keys()) store(keyOf(what, this.#room), "");
  }
}

/** The rooms of which this tab keeps something. */
export function keptRooms() {
  const rooms = keys().map((key) => KEY.exec(key)?.[1] ?? "");
  return [...new Set(rooms)].filter((room) => room !== "");
}

/**
 * Deletes everything that this tab keeps of a room, and returns what it kept of the outbox.
 * @param {string} room
 */
export function forgetRoom(room) {
  const outbox = stored(keyOf("outbox", room));
  for (const key of keys()) if (KEY.exec(key)?.[1] === room) store(key, "");
  return outbox;
}

function keys() {
  try {
    return Object.keys(sessionStorage);
  } catch {
    return []; // The browser blocks storage.
  }
}

/** @param {string} key */
function stored(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return ""; // The browser blocks storage.
  }
}

/**
 * @param {string} key
 * @param {string} value Empty to delete it.
 */
function store(key, value) {
  try {
    if (value === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, value);
  } catch (error) {
    console.warn("nothing can be kept here", error); // The storage is blocked or full.
  }
}

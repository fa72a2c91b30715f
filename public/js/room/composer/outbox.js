// Queue of the reader's messages that the server has not confirmed. The tab keeps it across a reload, and the client id
// lets the server store a message once, even when the page sends it several times.

import { Backoff } from "../../backoff.js";
import { Refused, codeOf } from "../../api.js";

/** @typedef {import("../../api.js").Chat} Chat */
/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../tab-storage.js").TabStorage} TabStorage */

/**
 * @typedef {object} Entry
 * @property {string} clientId
 * @property {"chat" | "gif" | "whisper"} kind
 * @property {string} [chat] The text of the message.
 * @property {Person} [to] The recipient of a whisper.
 * @property {string} at
 * @property {string} [failed] The error code; the entry stays until its author retries or discards it.
 */

/** @typedef {{ code: string, until: number }} Pause Why the outbox delays an entry, and when it sends it. */

/**
 * @typedef {object} Callbacks
 * @property {() => boolean} isLive
 * @property {(entry: Entry, signal: AbortSignal) => Promise<Chat>} send
 * @property {(entry: Entry, pause?: Pause) => void} shown The state of an entry has changed: new, delayed or failed.
 * @property {(clientId: string, chat: Chat) => void} sent
 * @property {(clientId: string) => void} over The outbox no longer needs the data that it kept for the entry.
 */

/** Errors that a second attempt cannot fix. */
const HOPELESS = [
  "too_long",
  "empty",
  "invalid",
  "malformed",
  "too_large",
  "not_a_gif",
  "bad_gif",
  "gif_lost",
  "not_here",
  "yourself",
];
/** Temporary errors: the outbox retries after a pause. */
const PASSING = ["slow_down", "unavailable", "timeout", "upload_failed"];

const FIRST_PAUSE_MS = 3_000;
const LONGEST_PAUSE_MS = 15_000;

export class Outbox {
  #storage;
  #callbacks;
  /** @type {Entry[]} */
  #entries = [];
  #backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  /** @type {{ entry: Entry, timer: ReturnType<typeof setTimeout> } | null} */
  #paused = null;
  /** @type {{ entry: Entry, cancel: AbortController } | null} */
  #sending = null;

  /**
   * @param {TabStorage} storage
   * @param {Callbacks} callbacks
   */
  constructor(storage, callbacks) {
    this.#storage = storage;
    this.#callbacks = callbacks;
    const read = () => (this.#entries.length > 0 ? JSON.stringify(this.#entries) : "");
    this.#entries = JSON.parse(storage.keep("outbox", read) || "[]");
  }

  /** Shows the entries that a reload interrupted. */
  restore() {
    for (const entry of this.#entries) this.#callbacks.shown(entry);
  }

  /** @param {Pick<Entry, "clientId" | "kind" | "chat" | "to">} said */
  post(said) {
    const entry = { ...said, at: new Date().toISOString() };
    this.#entries.push(entry);
    this.#storage.update();
    this.#callbacks.shown(entry);
    void this.#flush();
  }

  /** Retries, when the connection is back, the entries that failed without it. */
  resume() {
    this.#endPause();
    for (const entry of this.#entries) {
      if (entry.failed && !HOPELESS.includes(entry.failed)) this.#setFailed(entry, undefined);
    }
    void this.#flush();
  }

  /** @param {string} clientId */
  retry(clientId) {
    const entry = this.#entries.find((entry) => entry.clientId === clientId);
    if (!entry) return;
    if (this.#paused?.entry === entry) this.#endPause();
    else this.#setFailed(entry, undefined);
    void this.#flush();
  }

  /** @param {string} clientId */
  discard(clientId) {
    if (this.#sending?.entry.clientId === clientId) this.#sending.cancel.abort();
    this.settle(clientId);
  }

  /**
   * Removes an entry that the server has stored or the author has discarded.
   * @param {string} clientId
   */
  settle(clientId) {
    const entry = this.#entries.find((entry) => entry.clientId === clientId);
    if (!entry) return;
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#storage.update();
    this.#callbacks.over(clientId);
    if (this.#paused?.entry === entry) this.#endPause();
    void this.#flush();
  }

  forget() {
    const given = this.#entries;
    this.#entries = [];
    this.#storage.update();
    this.#endPause();
    this.#sending?.cancel.abort();
    for (const { clientId } of given) this.#callbacks.over(clientId);
  }

  /** Sends the entries one after another to keep their order: a delayed entry delays those behind it. */
  async #flush() {
    if (this.#sending) return;
    for (;;) {
      const entry = this.#entries.find(({ failed }) => !failed);
      if (!entry || this.#paused || !this.#callbacks.isLive()) return;
      const cancel = new AbortController();
      this.#sending = { entry, cancel };
      await this.#send(entry, cancel.signal);
      this.#sending = null;
    }
  }

  /**
   * @param {Entry} entry
   * @param {AbortSignal} signal
   */
  async #send(entry, signal) {
    try {
      const chat = await this.#callbacks.send(entry, signal);
      this.#backoff.reset();
      this.settle(entry.clientId);
      this.#callbacks.sent(entry.clientId, chat);
    } catch (error) {
      if (!this.#entries.includes(entry)) return; // The entry was discarded or has arrived.
      const code = codeOf(error);
      if (HOPELESS.includes(code)) this.#setFailed(entry, code);
      else if (!this.#callbacks.isLive())
        this.#callbacks.shown(entry); // The entry waits for the connection.
      else if (PASSING.includes(code))
        this.#pause(entry, code, error instanceof Refused ? error.retryAfterMs : undefined);
      else this.#setFailed(entry, code);
    }
  }

  /**
   * @param {Entry} entry
   * @param {string} code
   * @param {number} [retryAfterMs] The delay that the server asks for.
   */
  #pause(entry, code, retryAfterMs = 0) {
    const exact = code === "slow_down" && retryAfterMs > 0;
    const pauseMs = exact ? retryAfterMs : Math.max(retryAfterMs, this.#backoff.next());
    const timer = setTimeout(() => {
      this.#endPause();
      void this.#flush();
    }, pauseMs);
    this.#paused = { entry, timer };
    this.#callbacks.shown(entry, { code, until: Date.now() + pauseMs });
  }

  #endPause() {
    if (!this.#paused) return;
    const { entry, timer } = this.#paused;
    clearTimeout(timer);
    this.#paused = null;
    if (this.#entries.includes(entry)) this.#callbacks.shown(entry);
  }

  /**
   * @param {Entry} entry
   * @param {string | undefined} code
   */
  #setFailed(entry, code) {
    entry.failed = code;
    this.#storage.update();
    this.#callbacks.shown(entry);
  }
}

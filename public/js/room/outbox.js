// What you said and the server has not confirmed. It outlives a reload, and is stored once however often it is sent.

import { Backoff } from "../backoff.js";
import { Refused, codeOf } from "../wire.js";

/** @typedef {import("../wire.js").Chat} Chat */
/** @typedef {import("../wire.js").Person} Person */

/**
 * @typedef {object} Entry
 * @property {string} clientId
 * @property {"chat" | "gif" | "whisper"} kind
 * @property {string} [chat] Its words.
 * @property {Person} [to] Whom it is whispered to.
 * @property {string} at
 * @property {string} [failed] Why it waits for its author to decide.
 */

/** @typedef {{ code: string, until: number }} Pause Why an entry does not go out yet, and when it does. */

/**
 * @typedef {object} Ways
 * @property {() => boolean} isLive
 * @property {(entry: Entry, signal: AbortSignal) => Promise<Chat>} send
 * @property {(entry: Entry, pause?: Pause) => void} shown An entry is new, or waits or fails anew.
 * @property {(clientId: string, chat: Chat) => void} sent
 * @property {(clientId: string) => void} over What was kept to send it can go.
 */

/** What sending again does not change. */
const HOPELESS = ["too_long", "empty", "invalid", "malformed", "too_large", "not_a_gif", "bad_gif", "gif_lost", "not_here", "yourself"];
/** What passes by itself. */
const PASSING = ["slow_down", "unavailable", "timeout", "upload_failed"];

const FIRST_PAUSE_MS = 3_000;
const LONGEST_PAUSE_MS = 15_000;

export class Outbox {
  #key;
  #ways;
  /** @type {Entry[]} */
  #entries = [];
  #backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  /** @type {{ entry: Entry, timer: ReturnType<typeof setTimeout> } | null} */
  #paused = null;
  /** @type {{ entry: Entry, cancel: AbortController } | null} */
  #sending = null;

  /**
   * @param {string} room
   * @param {Ways} ways
   */
  constructor(room, ways) {
    this.#key = `huechat:outbox:${room}`;
    this.#ways = ways;
    this.#entries = JSON.parse(sessionStorage.getItem(this.#key) ?? "[]");
  }

  /** Shows what a reload interrupted. */
  restore() {
    for (const entry of this.#entries) this.#ways.shown(entry);
  }

  /** @param {Pick<Entry, "clientId" | "kind" | "chat" | "to">} said */
  post(said) {
    const entry = { ...said, at: new Date().toISOString() };
    this.#entries.push(entry);
    this.#keep();
    this.#ways.shown(entry);
    void this.#flush();
  }

  /** The connection is back: what failed for want of it gets another chance. */
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
   * It is stored, or given up.
   * @param {string} clientId
   */
  settle(clientId) {
    const entry = this.#entries.find((entry) => entry.clientId === clientId);
    if (!entry) return;
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#keep();
    this.#ways.over(clientId);
    if (this.#paused?.entry === entry) this.#endPause();
    void this.#flush();
  }

  forget() {
    const given = this.#entries;
    this.#entries = [];
    this.#keep();
    this.#endPause();
    this.#sending?.cancel.abort();
    for (const { clientId } of given) this.#ways.over(clientId);
  }

  /** One after another, so that they keep their order: whatever waits, those behind it wait too. */
  async #flush() {
    if (this.#sending) return;
    for (;;) {
      const entry = this.#entries.find(({ failed }) => !failed);
      if (!entry || this.#paused || !this.#ways.isLive()) return;
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
      const chat = await this.#ways.send(entry, signal);
      this.#backoff.reset();
      this.settle(entry.clientId);
      this.#ways.sent(entry.clientId, chat);
    } catch (error) {
      if (!this.#entries.includes(entry)) return; // It was discarded, or arrived.
      const code = codeOf(error);
      if (HOPELESS.includes(code)) this.#setFailed(entry, code);
      else if (!this.#ways.isLive()) this.#ways.shown(entry); // It waits for the connection.
      else if (PASSING.includes(code)) this.#pause(entry, code, error instanceof Refused ? error.retryAfterMs : undefined);
      else this.#setFailed(entry, code);
    }
  }

  /**
   * @param {Entry} entry
   * @param {string} code
   * @param {number} [retryAfterMs] What the server asks for.
   */
  #pause(entry, code, retryAfterMs = 0) {
    const exact = code === "slow_down" && retryAfterMs > 0;
    const pauseMs = exact ? retryAfterMs : Math.max(retryAfterMs, this.#backoff.next());
    const timer = setTimeout(() => {
      this.#endPause();
      void this.#flush();
    }, pauseMs);
    this.#paused = { entry, timer };
    this.#ways.shown(entry, { code, until: Date.now() + pauseMs });
  }

  #endPause() {
    if (!this.#paused) return;
    const { entry, timer } = this.#paused;
    clearTimeout(timer);
    this.#paused = null;
    if (this.#entries.includes(entry)) this.#ways.shown(entry);
  }

  /**
   * @param {Entry} entry
   * @param {string | undefined} code
   */
  #setFailed(entry, code) {
    entry.failed = code;
    this.#keep();
    this.#ways.shown(entry);
  }

  #keep() {
    if (this.#entries.length === 0) sessionStorage.removeItem(this.#key);
    else sessionStorage.setItem(this.#key, JSON.stringify(this.#entries));
  }
}

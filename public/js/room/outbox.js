// What you said and the server has not confirmed. It outlives a reload, and is stored once however often it is sent.

import { codeOf } from "../wire.js";

/** @typedef {import("../wire.js").Chat} Chat */
/** @typedef {{ clientId: string, chat: string, at: string, failed?: string }} Entry */

/**
 * @typedef {object} Ways
 * @property {() => boolean} isLive
 * @property {(entry: Entry) => Promise<Chat>} send
 * @property {(entry: Entry) => void} shown An entry is new, or waits or fails anew.
 * @property {(clientId: string, chat: Chat) => void} sent
 */

/** What sending again does not change. */
const HOPELESS = ["too_long", "empty", "invalid", "malformed"];

export class Outbox {
  #key;
  #ways;
  /** @type {Entry[]} */
  #entries = [];
  #sending = false;

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

  /** @param {string} chat */
  post(chat) {
    const entry = { clientId: crypto.getRandomValues(new Uint32Array(4)).join("-"), chat, at: new Date().toISOString() };
    this.#entries.push(entry);
    this.#keep();
    this.#ways.shown(entry);
    void this.#flush();
  }

  /** The connection is back: what failed for want of it gets another chance. */
  resume() {
    for (const entry of this.#entries) {
      if (entry.failed && !HOPELESS.includes(entry.failed)) this.#setFailed(entry, undefined);
    }
    void this.#flush();
  }

  /** @param {string} clientId */
  retry(clientId) {
    const entry = this.#entries.find((entry) => entry.clientId === clientId);
    if (!entry) return;
    this.#setFailed(entry, undefined);
    void this.#flush();
  }

  /**
   * It is stored, or given up.
   * @param {string} clientId
   */
  settle(clientId) {
    this.#entries = this.#entries.filter((entry) => entry.clientId !== clientId);
    this.#keep();
  }

  forget() {
    this.#entries = [];
    this.#keep();
  }

  /** One after another, so that they keep their order. */
  async #flush() {
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (;;) {
        const entry = this.#entries.find(({ failed }) => !failed);
        if (!entry || !this.#ways.isLive()) return;
        await this.#send(entry);
      }
    } finally {
      this.#sending = false;
    }
  }

  /** @param {Entry} entry */
  async #send(entry) {
    try {
      const chat = await this.#ways.send(entry);
      this.settle(entry.clientId);
      this.#ways.sent(entry.clientId, chat);
    } catch (error) {
      if (!this.#ways.isLive() || !this.#entries.includes(entry)) return; // It waits for the connection, or arrived.
      this.#setFailed(entry, codeOf(error));
    }
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

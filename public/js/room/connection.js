// The connection to a room: opens it, opens it again, and knows when there is nothing left to open.

import { io } from "../../lib/socket.io.js";

/** @typedef {import("../wire.js").Person} Person */
/** @typedef {import("../wire.js").Welcome} Welcome */
/** @typedef {"connecting" | "catching-up" | "live" | "reconnecting" | "offline" | "ended"} State */

/**
 * @typedef {object} Ways
 * @property {string} room
 * @property {() => number} after The newest message that is shown.
 * @property {(state: State, delayMs?: number) => void} changed
 * @property {(reason: string, by?: Person) => void} ended
 * @property {(welcome: Welcome) => Promise<void>} welcome Settles when nothing is missing any more.
 * @property {() => void} live
 */

/** Tries again after this, then twice this and so on, up to the longest. */
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

/** What a door says that will not open by knocking again. */
const FINAL = ["unauthorized", "no_such_room", "wrong_password", "kicked", "locked", "room_full"];

export class Connection {
  #ways;
  /** @type {State} */
  #state = "connecting";
  #attempts = 0;
  #leaving = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #next;

  /** @param {Ways} ways */
  constructor(ways) {
    this.#ways = ways;
    this.socket = io("/chat", {
      autoConnect: false,
      reconnection: false, // Done here, to say when.
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      auth: (give) => give({ room: ways.room, after: ways.after() }),
    });
    this.socket.on("connect", () => this.#change("catching-up"));
    this.socket.on("welcome", (welcome) => void this.#resume(welcome));
    this.socket.on("disconnect", () => this.#tryLater());
    this.socket.on("connect_error", ({ message }) => {
      if (FINAL.includes(message)) this.end(message);
      else this.#tryLater();
    });
    this.socket.on("kicked", ({ by }) => this.end("kicked", by));
    this.socket.on("removeRoom", () => this.end("no_such_room"));
    this.socket.on("error", (error) => {
      if (error?.code === "unauthorized") this.end("unauthorized");
    });
    window.addEventListener("online", () => this.tryNow());
    window.addEventListener("offline", () => this.#tryLater());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.tryNow(); // A phone that slept does not wait for the next try.
    });
  }

  get isLive() {
    return this.#state === "live";
  }

  open() {
    this.#change("connecting");
    this.socket.connect();
  }

  tryNow() {
    if (this.#state !== "reconnecting" && this.#state !== "offline") return;
    clearTimeout(this.#next);
    this.#change("reconnecting", 0);
    this.socket.connect();
  }

  /** Leaves at once, without a grace. Whether the server heard it. */
  async leave() {
    this.#leaving = true;
    if (!this.socket.connected) return false;
    const patience = 2_000; // Nobody waits longer to go.
    return this.socket.timeout(patience).emitWithAck("exit").then(() => true, () => false);
  }

  /**
   * @param {string} reason
   * @param {Person} [by]
   */
  end(reason, by) {
    if (this.#state === "ended" || this.#leaving) return;
    clearTimeout(this.#next);
    this.#change("ended");
    this.socket.disconnect();
    this.#ways.ended(reason, by);
  }

  /** @param {Welcome} welcome */
  async #resume(welcome) {
    const { id } = this.socket;
    try {
      await this.#ways.welcome(welcome);
    } catch {
      this.socket.disconnect(); // Live means that nothing is missing: once more from the start.
      return;
    }
    if (!this.socket.connected || this.socket.id !== id) return;
    this.#attempts = 0;
    this.#change("live");
    this.#ways.live();
  }

  #tryLater() {
    if (this.#state === "ended" || this.#leaving || this.socket.connected) return;
    clearTimeout(this.#next);
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#attempts);
    const delay = longest * (0.5 + Math.random() / 2); // Not all at once after a restart.
    this.#attempts += 1;
    this.#next = setTimeout(() => this.tryNow(), delay);
    this.#change(navigator.onLine ? "reconnecting" : "offline", delay);
  }

  /**
   * @param {State} state
   * @param {number} [delayMs]
   */
  #change(state, delayMs) {
    this.#state = state;
    this.#ways.changed(state, delayMs);
  }
}

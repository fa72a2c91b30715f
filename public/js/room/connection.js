// The connection to a room: opens it, opens it again, and knows when there is nothing left to open.

import { io } from "../../lib/socket.io.js";
import { Backoff } from "../backoff.js";
import { asked, told } from "../protocol.js";
import { refusedAsTooFast } from "../too-fast.js";

/** @typedef {import("../wire.js").Person} Person */
/** @typedef {import("../wire.js").Welcome} Welcome */
/** @typedef {"reconnecting" | "restarting" | "unavailable" | "too-fast"} Trouble Why there is none, and it is tried again. */
/** @typedef {"connecting" | "catching-up" | "live" | Trouble | "offline" | "ended"} State */

/**
 * @typedef {object} Ways
 * @property {string} room
 * @property {() => number} after The newest message that is shown.
 * @property {(state: State, delayMs?: number) => void} changed
 * @property {(reason: string, by?: Person) => void} ended
 * @property {(welcome: Welcome) => Promise<void>} welcome Settles when nothing is missing any more.
 * @property {() => void} live
 */

/** Tries again after this, then twice this and so on, up to the longest, which is within the grace for a seat. */
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 6_000;

/** What a door says that will not open by knocking again. */
const FINAL = ["unauthorized", "no_such_room", "wrong_password", "kicked", "locked", "room_full", "too_many_connections"];

export class Connection {
  #ways;
  /** @type {State} */
  #state = "connecting";
  #backoff = new Backoff(FIRST_DELAY_MS, LONGEST_DELAY_MS);
  /** @type {Trouble} */
  #trouble = "reconnecting";
  /** When the server asked to be back, before it went. @type {number | undefined} */
  #askedDelay;
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
    this.socket.on(told.WELCOME, (welcome) => void this.#resume(welcome));
    this.socket.on("disconnect", () => this.#tryLater());
    this.socket.on("connect_error", (error) => {
      const { message } = error;
      if (FINAL.includes(message)) return this.end(message);
      const tooFast = refusedAsTooFast(error);
      if (tooFast) {
        this.#trouble = "too-fast";
        this.#askedDelay = tooFast.retryAfterMs;
      } else if (message === "restarting" || message === "unavailable") this.#trouble = message;
      else if (this.#trouble !== "restarting") this.#trouble = "reconnecting";
      this.#tryLater();
    });
    this.socket.on(told.KICKED, ({ by }) => this.end("kicked", by));
    this.socket.on(told.REMOVE_ROOM, () => this.end("no_such_room"));
    this.socket.on(told.ERROR, (error) => {
      if (error?.code === "unauthorized") this.end("unauthorized");
      if (error?.code !== "restarting") return;
      this.#trouble = "restarting";
      this.#askedDelay = error.retryAfterMs;
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
    if (this.#state !== this.#trouble && this.#state !== "offline") return;
    clearTimeout(this.#next);
    this.#change(this.#trouble, 0);
    this.socket.connect();
  }

  /** Leaves at once, without a grace. Whether the server heard it. */
  async leave() {
    this.#leaving = true;
    if (!this.socket.connected) return false;
    const patience = 2_000; // Nobody waits longer to go.
    return this.socket.timeout(patience).emitWithAck(asked.EXIT).then(() => true, () => false);
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
    this.#backoff.reset();
    this.#trouble = "reconnecting";
    this.#change("live");
    this.#ways.live();
  }

  #tryLater() {
    if (this.#state === "ended" || this.#leaving || this.socket.connected) return;
    clearTimeout(this.#next);
    const delay = this.#askedDelay ?? this.#backoff.next();
    this.#askedDelay = undefined;
    this.#next = setTimeout(() => this.tryNow(), delay);
    this.#change(navigator.onLine ? this.#trouble : "offline", delay);
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

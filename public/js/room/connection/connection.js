// The socket of a room: connects, reconnects after an interruption, and stops after a final refusal.

import { io } from "../../../lib/socket.io.js";
import { Backoff } from "../../backoff.js";
import { asked, told } from "../../protocol.js";
import { refusedAsTooFast } from "../../too-fast.js";

/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../../api.js").Welcome} Welcome */
/** @typedef {"reconnecting" | "restarting" | "unavailable" | "too-fast"} Trouble Why the page reconnects. */
/** @typedef {"connecting" | "catching-up" | "live" | Trouble | "offline" | "ended"} State */

/**
 * @typedef {object} Callbacks
 * @property {string} room
 * @property {() => number} after The sequence number of the newest message in the log; 0 when it is empty.
 * @property {(state: State, delayMs?: number) => void} changed
 * @property {(reason: string, by?: Person) => void} ended
 * @property {(welcome: Welcome) => Promise<void>} welcome Resolves when the log is complete.
 * @property {() => void} live
 */

/** The delay doubles with each attempt, up to a maximum that is shorter than the time the server keeps a seat. */
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 6_000;

/** Refusals that a retry cannot change. */
const FINAL = [
  "unauthorized",
  "no_such_room",
  "wrong_password",
  "kicked",
  "locked",
  "room_full",
  "too_many_connections",
];

export class Connection {
  #callbacks;
  /** @type {State} */
  #state = "connecting";
  #backoff = new Backoff(FIRST_DELAY_MS, LONGEST_DELAY_MS);
  /** @type {Trouble} */
  #trouble = "reconnecting";
  /** The delay that the server asked for before it closed the connection. @type {number | undefined} */
  #askedDelay;
  #leaving = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #next;

  /** @param {Callbacks} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.socket = io("/chat", {
      autoConnect: false,
      reconnection: false, // This class reconnects itself, because it shows the time of the next attempt.
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      // A new log asks for the newest messages, one with messages for those after them.
      auth: (give) => give({ room: callbacks.room, after: callbacks.after() || undefined }),
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
      if (!document.hidden) this.tryNow(); // A phone that wakes up reconnects at once.
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

  /** Gives up the seat at once. Returns whether the server has acknowledged it. */
  async leave() {
    this.#leaving = true;
    if (!this.socket.connected) return false;
    const patience = 2_000; // A longer wait would delay the way out.
    return this.socket
      .timeout(patience)
      .emitWithAck(asked.EXIT)
      .then(
        () => true,
        () => false,
      );
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
    this.#callbacks.ended(reason, by);
  }

  /** Closes the connection without a word to the reader, because the page goes away. */
  close() {
    this.#leaving = true;
    clearTimeout(this.#next);
    this.socket.disconnect();
  }

  /** @param {Welcome} welcome */
  async #resume(welcome) {
    const { id } = this.socket;
    try {
      await this.#callbacks.welcome(welcome);
    } catch {
      this.socket.disconnect(); // "live" requires a complete log, so the connection starts again.
      return;
    }
    if (!this.socket.connected || this.socket.id !== id) return;
    this.#backoff.reset();
    this.#trouble = "reconnecting";
    this.#change("live");
    this.#callbacks.live();
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
    this.#callbacks.changed(state, delayMs);
  }
}

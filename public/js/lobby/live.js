// The socket of the lobby: it receives room events and reconnects after an interruption.

import { io } from "../../lib/socket.io.js";
import { Backoff } from "../backoff.js";
import { told } from "../protocol.js";
import { refusedAsTooFast } from "../too-fast.js";

/** @typedef {import("../api.js").Room} Room */

/**
 * @typedef {object} Callbacks
 * @property {() => void} live The socket is connected, at first and after every interruption.
 * @property {(restarting: boolean) => void} lost The socket is not connected; called once for each attempt.
 * @property {() => void} unknown The server does not know the visitor's session any more.
 * @property {(room: Room) => void} added
 * @property {(room: Room) => void} updated
 * @property {(id: string) => void} removed
 */

/** The delay doubles with each attempt, up to the maximum. */
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 6_000;

/** @param {Callbacks} callbacks */
export function listen(callbacks) {
  const backoff = new Backoff(FIRST_DELAY_MS, LONGEST_DELAY_MS);
  let restarting = false;
  /** The delay that the server asked for before it closed the connection. @type {number | undefined} */
  let askedDelay;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let next;
  // This function reconnects itself, because the client does not reconnect after the server closes the connection.
  const socket = io("/room", { reconnection: false, transports: ["websocket", "polling"], tryAllTransports: true });
  const tryNow = () => {
    clearTimeout(next);
    socket.connect();
  };
  const tryLater = () => {
    callbacks.lost(restarting);
    clearTimeout(next);
    next = setTimeout(tryNow, askedDelay ?? backoff.next());
    askedDelay = undefined;
  };
  socket.on("connect", () => {
    backoff.reset();
    restarting = false;
    callbacks.live();
  });
  socket.on(told.ERROR, (error) => {
    if (error?.code !== "restarting") return;
    restarting = true;
    askedDelay = error.retryAfterMs;
  });
  socket.on("disconnect", tryLater);
  socket.on("connect_error", (error) => {
    if (error.message === "unauthorized") return callbacks.unknown();
    restarting ||= error.message === "restarting";
    askedDelay ??= refusedAsTooFast(error)?.retryAfterMs;
    tryLater();
  });
  socket.on(told.NEW_ROOM, callbacks.added);
  socket.on(told.UPDATE_ROOM, callbacks.updated);
  socket.on(told.REMOVE_ROOM, callbacks.removed);
  window.addEventListener("online", tryNow);
  return socket;
}

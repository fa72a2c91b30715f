// The connection of the lobby: hears what happens to rooms, and comes back by itself.

import { io } from "../../lib/socket.io.js";
import { Backoff } from "../backoff.js";
import { told } from "../protocol.js";
import { refusedAsTooFast } from "../too-fast.js";

/** @typedef {import("../wire.js").Room} Room */

/**
 * @typedef {object} Ways
 * @property {() => void} live Now, and after every interruption.
 * @property {(restarting: boolean) => void} lost Until it is live, once for each try.
 * @property {() => void} unknown Whoever looks on is not known here any more.
 * @property {(room: Room) => void} added
 * @property {(room: Room) => void} updated
 * @property {(id: string) => void} removed
 */

/** Tries again after this, then twice this and so on, up to the longest. */
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 6_000;

/** @param {Ways} ways */
export function listen(ways) {
  const backoff = new Backoff(FIRST_DELAY_MS, LONGEST_DELAY_MS);
  let restarting = false;
  /** When the server asked to be back, before it went. @type {number | undefined} */
  let askedDelay;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let next;
  // On its own, the client does not come back to a server that sent it away.
  const socket = io("/room", { reconnection: false, transports: ["websocket", "polling"], tryAllTransports: true });
  const tryNow = () => {
    clearTimeout(next);
    socket.connect();
  };
  const tryLater = () => {
    ways.lost(restarting);
    clearTimeout(next);
    next = setTimeout(tryNow, askedDelay ?? backoff.next());
    askedDelay = undefined;
  };
  socket.on("connect", () => {
    backoff.reset();
    restarting = false;
    ways.live();
  });
  socket.on(told.ERROR, (error) => {
    if (error?.code !== "restarting") return;
    restarting = true;
    askedDelay = error.retryAfterMs;
  });
  socket.on("disconnect", tryLater);
  socket.on("connect_error", (error) => {
    if (error.message === "unauthorized") return ways.unknown();
    restarting ||= error.message === "restarting";
    askedDelay ??= refusedAsTooFast(error)?.retryAfterMs;
    tryLater();
  });
  socket.on(told.NEW_ROOM, ways.added);
  socket.on(told.UPDATE_ROOM, ways.updated);
  socket.on(told.REMOVE_ROOM, ways.removed);
  window.addEventListener("online", tryNow);
  return socket;
}

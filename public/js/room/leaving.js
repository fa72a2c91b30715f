// Leaving a room: at once, and without a grace.

import { need } from "../dom.js";

/** @typedef {import("./connection.js").Connection} Connection */

/**
 * @param {Connection} connection
 * @param {() => void} forget What was kept of the room is no longer needed.
 */
export function leaveBy(connection, forget) {
  const form = need(document, "[data-leave]", HTMLFormElement);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    forget();
    if (await connection.leave()) location.assign("/");
    else form.submit(); // The server may still hear it this way.
  });
}

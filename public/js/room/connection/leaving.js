// Leave button: it gives up the seat at once instead of after the server's waiting time.

import { need } from "../../dom.js";

/** @typedef {import("./connection.js").Connection} Connection */

/**
 * @param {Connection} connection
 * @param {() => void} forget Deletes the data that this tab keeps for the room.
 */
export function leaveBy(connection, forget) {
  const form = need(document, "[data-leave]", HTMLFormElement);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    forget();
    // Without an entry for the room in the history, Back does not enter it again.
    if (await connection.leave()) location.replace("/");
    else form.submit(); // Sends the form instead, which does not need the socket.
  });
}

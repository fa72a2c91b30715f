// Deletes what this tab keeps of rooms that went while their page was away.

import { codeOf, fetchJson } from "../api.js";
import { forgetRoom, keptRooms } from "../room/tab-storage.js";

/** Refusals after which a reader cannot return to a room. */
const FINAL = ["no_such_room", "kicked"];

export async function forgetGoneRooms() {
  for (const room of keptRooms()) {
    const refusal = await fetchJson(`/room/${room}`).then(() => "", codeOf);
    if (FINAL.includes(refusal)) await forget(room);
  }
}

/** @param {string} room */
async function forget(room) {
  /** @type {import("../room/composer/outbox.js").Entry[]} */
  const entries = JSON.parse(forgetRoom(room) || "[]");
  const gifs = entries.filter(({ kind }) => kind === "gif");
  if (gifs.length === 0) return;
  const { KeptFiles } = await import("../room/gifs/kept-files.js");
  const files = new KeptFiles();
  for (const { clientId } of gifs) await files.remove(clientId);
}

// Entry script of the lobby: it updates the room list from server events.

import { copyOf, need } from "./dom.js";
import { forgetGoneRooms } from "./lobby/gone-rooms.js";
import { listen } from "./lobby/live.js";
import { PasswordDialog } from "./lobby/password-dialog.js";
import { RoomList } from "./lobby/room-list.js";
import { asked } from "./protocol.js";
import { offerChoices } from "./reader.js";
import { Texts } from "./texts.js";
import { ask, codeOf, fetchJson } from "./api.js";

/** The page reports only interruptions that are longer than this. */
const HICCUP_MS = 3_000;
/** The search starts after this pause in typing. */
const PAUSE_MS = 250;

const texts = await Texts.load();
const rooms = new RoomList(texts);
const dialog = new PasswordDialog(texts);
const status = need(document, "[data-lobby-status]", HTMLElement);
const notice = need(document, "[data-notice]", HTMLElement);
const search = need(document, "#q", HTMLInputElement);

/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiccup;

const socket = listen({
  live: () => {
    clearTimeout(hiccup);
    hiccup = undefined;
    if (status.textContent) status.textContent = texts.text("lobby-live");
    void refresh();
  },
  lost: (restarting) => {
    hiccup ??= setTimeout(() => {
      status.textContent = texts.text(restarting ? "lobby-restarting" : "lobby-offline");
    }, HICCUP_MS);
  },
  unknown: () => {
    clearTimeout(hiccup);
    status.textContent = texts.error("unauthorized");
  },
  added: (room) => rooms.add(room),
  updated: (room) => rooms.update(room),
  removed: (id) => rooms.remove(id),
});
offerChoices(texts, (choice) => (socket.connected ? ask(socket, asked.READER_PUT, choice) : null));
void forgetGoneRooms();
searchWhileTyping();
askBeforeLockedRooms();

/** Fetches the list again, because the page misses events while it is not connected. */
async function refresh() {
  const address = location.href;
  const response = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok || address !== location.href) return; // Keeps the current list until the next refresh.
  rooms.replaceBy(new DOMParser().parseFromString(await response.text(), "text/html"));
}

function searchWhileTyping() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  search.addEventListener("input", (event) => {
    clearTimeout(pause);
    if (event instanceof InputEvent && event.isComposing) return;
    pause = setTimeout(() => {
      const q = search.value.trim();
      history.replaceState(null, "", q === "" ? "/" : `/?${new URLSearchParams({ q })}`);
      void refresh();
    }, PAUSE_MS);
  });
  search.addEventListener("compositionend", () => search.dispatchEvent(new InputEvent("input")));
}

/** Asks the server before it asks for a password, because a locked room still admits people who have entered before. */
function askBeforeLockedRooms() {
  rooms.element.addEventListener("click", async (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const card = link?.closest("[data-locked]");
    if (!link || !card || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      await fetchJson(link.href);
      location.assign(link.href);
    } catch (error) {
      const code = codeOf(error);
      if (code === "wrong_password") dialog.open(link);
      else say(code);
    }
  });
}

/** @param {string} code */
function say(code) {
  const words = copyOf("notice");
  need(words, "[data-words]", HTMLElement).textContent = texts.error(code);
  notice.replaceChildren(words);
}

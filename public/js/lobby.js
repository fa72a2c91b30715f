// The lobby, live: rooms appear, fill, empty and go while you look.

import { copyOf, need } from "./dom.js";
import { listen } from "./lobby/live.js";
import { PasswordDialog } from "./lobby/password-dialog.js";
import { RoomList } from "./lobby/room-list.js";
import { asked } from "./protocol.js";
import { offerChoices } from "./reader.js";
import { Texts } from "./texts.js";
import { ask, codeOf, fetchJson } from "./wire.js";

/** Long enough that a hiccup is not worth a word. */
const HICCUP_MS = 3_000;
/** A pause in typing. */
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
searchWhileTyping();
askBeforeLockedRooms();

/** Asks for the list anew: what happened before listening, or while the connection was away, was not heard. */
async function refresh() {
  const address = location.href;
  const response = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok || address !== location.href) return; // Stays as it is, until the next time.
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

/** A locked room may open for whoever was there before, so the server is asked before the visitor is. */
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

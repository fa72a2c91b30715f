// Dialog for the end of a visit: it explains why the reader cannot return, and links to the lobby.

import { need } from "../../dom.js";

/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../../texts.js").Texts} Texts */

/** Ends after which this tab has nothing to keep for the room. A reader who was refused may come again. */
const FOR_GOOD = ["no_such_room", "kicked", "unauthorized", "left"];

/** @param {string} reason */
export function isForGood(reason) {
  return FOR_GOOD.includes(reason);
}

export class Ending {
  #texts;
  #dialog = need(document, "[data-ended]", HTMLDialogElement);
  #reload = need(this.#dialog, "[data-ended-reload]", HTMLButtonElement);

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
    this.#reload.addEventListener("click", () => location.reload());
    this.#dialog.addEventListener("cancel", (event) => event.preventDefault()); // The page no longer works.
  }

  /**
   * @param {string} reason
   * @param {Person} [by]
   */
  say(reason, by) {
    const [title, words] = this.#words(reason, by);
    need(this.#dialog, "[data-ended-title]", HTMLElement).textContent = title;
    need(this.#dialog, "[data-ended-words]", HTMLElement).textContent = words;
    this.#reload.hidden = reason !== "unauthorized" && reason !== "left";
    for (const other of document.querySelectorAll("dialog[open]")) {
      if (other instanceof HTMLDialogElement) other.close();
    }
    this.#dialog.showModal();
  }

  /**
   * @param {string} reason
   * @param {Person} [by]
   * @returns {[string, string]}
   */
  #words(reason, by) {
    const t = this.#texts;
    switch (reason) {
      case "no_such_room":
        return [t.text("ended-gone-title"), t.text("ended-gone")];
      case "kicked": {
        const words = by ? t.text("ended-kicked", { person: t.person(by) }) : t.text("ended-kicked-by-nobody");
        return [t.text("ended-kicked-title"), words];
      }
      case "unauthorized":
        return [t.text("ended-session-title"), t.text("ended-session")];
      case "left":
        return [t.text("ended-left-title"), t.text("ended-left")];
      default:
        return [t.text("ended-refused-title"), t.error(reason)];
    }
  }
}

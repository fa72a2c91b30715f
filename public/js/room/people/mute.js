// Mutes people for the reader: their lines are hidden in this tab only, and the server does not know about it.

import { need } from "../../dom.js";

/** @typedef {import("../tab-storage.js").TabStorage} TabStorage */

export class Mute {
  #storage;
  #list = need(document, "[data-lines]", HTMLElement);
  /** @type {Set<string>} */
  #people;

  /** @param {TabStorage} storage */
  constructor(storage) {
    this.#storage = storage;
    const read = () => (this.#people.size > 0 ? JSON.stringify([...this.#people]) : "");
    this.#people = new Set(JSON.parse(storage.keep("hidden", read) || "[]"));
    if (this.#people.size > 0) this.apply();
  }

  /** @param {string} id */
  has(id) {
    return this.#people.has(id);
  }

  /** @param {string} id */
  toggle(id) {
    if (!this.#people.delete(id)) this.#people.add(id);
    this.#storage.update();
    this.apply(id);
  }

  /**
   * Hides the lines of muted people and shows those of all others.
   * @param {string} [id] Limits the update to the lines of this person.
   */
  apply(id) {
    if (!id && this.#people.size === 0) return;
    const whose = id ? `[data-person="${CSS.escape(id)}"]` : "[data-person]";
    for (const line of this.#list.querySelectorAll(`${whose}:not([data-kind="system"])`)) {
      if (line instanceof HTMLElement) line.hidden = this.#people.has(line.dataset.person ?? "");
    }
  }
}

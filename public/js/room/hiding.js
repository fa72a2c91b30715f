// Whose words I do not want to see, for as long as I am here. Nobody else hears of it.

import { need } from "../dom.js";

export class Hiding {
  #key;
  #list = need(document, "[data-lines]", HTMLElement);
  /** @type {Set<string>} */
  #people;

  /** @param {string} room */
  constructor(room) {
    this.#key = `huechat:hidden:${room}`;
    this.#people = new Set(JSON.parse(sessionStorage.getItem(this.#key) ?? "[]"));
    if (this.#people.size > 0) this.apply();
  }

  /** @param {string} id */
  has(id) {
    return this.#people.has(id);
  }

  /** @param {string} id */
  toggle(id) {
    if (!this.#people.delete(id)) this.#people.add(id);
    sessionStorage.setItem(this.#key, JSON.stringify([...this.#people]));
    this.apply(id);
  }

  /**
   * Hides and shows lines as they should be.
   * @param {string} [id] Only this person's.
   */
  apply(id) {
    if (!id && this.#people.size === 0) return;
    const whose = id ? `[data-person="${CSS.escape(id)}"]` : "[data-person]";
    for (const line of this.#list.querySelectorAll(`${whose}:not([data-kind="system"])`)) {
      if (line instanceof HTMLElement) line.hidden = this.#people.has(line.dataset.person ?? "");
    }
  }
}

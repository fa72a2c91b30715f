// Typing notices: sends the reader's own notice to the room, and shows the notices of the other people.

import { need } from "../../dom.js";

/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../../texts.js").Texts} Texts */

/** The page repeats its notice at this interval while the reader types. */
const AGAIN_AFTER_MS = 3_000;
/** The page removes a notice that is not repeated for this time, because the final notice may be lost. */
const OVER_AFTER_MS = 6_000;

export class Typing {
  #texts;
  #tell;
  #shown = need(document, "[data-typing]", HTMLElement);
  /** @type {Map<string, { person: Person, over: ReturnType<typeof setTimeout> }>} */
  #people = new Map();
  #told = -Infinity;

  /**
   * @param {Texts} texts
   * @param {(typing: boolean) => void} tell
   */
  constructor(texts, tell) {
    this.#texts = texts;
    this.#tell = tell;
  }

  /** @param {boolean} typing Whether the reader is typing. */
  me(typing) {
    const now = performance.now();
    if (typing && now - this.#told < AGAIN_AFTER_MS) return;
    if (!typing && this.#told === -Infinity) return;
    this.#told = typing ? now : -Infinity;
    this.#tell(typing);
  }

  /**
   * @param {Person} person
   * @param {boolean} typing
   */
  other(person, typing) {
    clearTimeout(this.#people.get(person.id)?.over);
    this.#people.delete(person.id);
    if (typing) {
      const over = setTimeout(() => this.other(person, false), OVER_AFTER_MS);
      this.#people.set(person.id, { person, over });
    }
    this.#show();
  }

  #show() {
    const [one, two, ...others] = [...this.#people.values()].map(({ person }) => this.#texts.person(person));
    this.#shown.textContent = this.#words(one, two, others.length > 0);
  }

  /**
   * @param {string | undefined} one
   * @param {string | undefined} two
   * @param {boolean} more
   */
  #words(one, two, more) {
    if (more) return this.#texts.text("typing-many");
    if (one && two) return this.#texts.text("typing-two", { one, two });
    return one ? this.#texts.text("typing-one", { one }) : "";
  }
}

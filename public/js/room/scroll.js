// Where the reader is in the conversation: at its end, which moves along, or further up, which stays.

import { need } from "../dom.js";

/** @typedef {import("../texts.js").Texts} Texts */

/** Closer than this to the end is the end. */
const END_PX = 48;

export class Scroll {
  #texts;
  #log = need(document, "[data-log]", HTMLElement);
  #button = need(document, "[data-new-lines]", HTMLButtonElement);
  #words = need(this.#button, "[data-new-lines-words]", HTMLElement);
  #unread = 0;

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
    this.#log.addEventListener("scroll", () => this.#showButton(), { passive: true });
    this.#button.addEventListener("click", () => {
      this.toEnd();
      this.#log.focus({ preventScroll: true });
    });
  }

  /** The log is laid out from its end: there `scrollTop` is 0, and further up it is less. */
  get #isAtEnd() {
    return this.#log.scrollTop > -END_PX;
  }

  toEnd() {
    this.#log.scrollTop = 0;
    this.#showButton();
  }

  /**
   * Changes the lines without moving those that the reader looks at.
   * @param {() => void} change
   */
  keep(change) {
    const anchor = this.#isAtEnd ? null : this.#firstInView();
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (!anchor) this.#log.scrollTop = 0;
    else if (anchor.isConnected) this.#log.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  /** @param {number} count How many messages of others came. */
  note(count) {
    if (!this.#isAtEnd) this.#unread += count;
    this.#showButton();
  }

  #firstInView() {
    const top = this.#log.getBoundingClientRect().top;
    const lines = need(this.#log, "[data-lines]", HTMLElement).children;
    return [...lines].find((line) => line.getBoundingClientRect().bottom > top) ?? null;
  }

  #showButton() {
    if (this.#isAtEnd) this.#unread = 0;
    const far = this.#log.scrollTop < -this.#log.clientHeight;
    this.#button.hidden = this.#unread === 0 && !far;
    this.#words.textContent =
      this.#unread > 0 ? this.#texts.text("new-messages", { count: this.#unread }) : this.#texts.text("to-the-newest");
  }
}

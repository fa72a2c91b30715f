// Scroll position of the log: it follows new messages at the end, and keeps the lines in view in place further up.

import { need } from "../../dom.js";

/** @typedef {import("../../texts.js").Texts} Texts */
/** @typedef {{ seq: number, top: number }} Position The first line in view, and its offset from the top of the log. */

/** The reader counts as being at the end within this distance. */
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

  /** The log uses a reversed layout: `scrollTop` is 0 at the end and negative further up. */
  get #isAtEnd() {
    return this.#log.scrollTop > -END_PX;
  }

  toEnd() {
    this.#log.scrollTop = 0;
    this.#showButton();
  }

  /**
   * Applies a change without moving the lines in view.
   * @param {() => void} change
   */
  keep(change) {
    const anchor = this.#isAtEnd ? null : this.#firstInView();
    const before = anchor ? this.#topOf(anchor) : 0;
    change();
    if (!anchor) this.#log.scrollTop = 0;
    else if (anchor.isConnected) this.#log.scrollTop += this.#topOf(anchor) - before;
  }

  /** The current position; null at the end. @returns {Position | null} */
  get position() {
    const line = this.#isAtEnd ? null : this.#firstInView();
    const seq = line?.getAttribute("data-seq");
    return line && seq ? { seq: Number(seq), top: this.#topOf(line) } : null;
  }

  /** @param {Position} position */
  goTo({ seq, top }) {
    const line = this.#log.querySelector(`[data-seq="${seq}"]`);
    if (line) this.#log.scrollTop += this.#topOf(line) - top;
  }

  /** @param {number} count The number of new messages by other people. */
  note(count) {
    if (!this.#isAtEnd) this.#unread += count;
    this.#showButton();
  }

  #firstInView() {
    const top = this.#log.getBoundingClientRect().top;
    const lines = need(this.#log, "[data-lines]", HTMLElement).children;
    return [...lines].find((line) => line.getBoundingClientRect().bottom > top) ?? null;
  }

  /** @param {Element} line */
  #topOf(line) {
    return line.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
  }

  #showButton() {
    if (this.#isAtEnd) this.#unread = 0;
    const far = this.#log.scrollTop < -this.#log.clientHeight;
    this.#button.hidden = this.#unread === 0 && !far;
    this.#words.textContent =
      this.#unread > 0 ? this.#texts.text("new-messages", { count: this.#unread }) : this.#texts.text("to-the-newest");
  }
}

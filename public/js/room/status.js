// The state of the connection, in words.

import { need } from "../dom.js";

/** @typedef {import("./connection.js").State} State */
/** @typedef {import("../texts.js").Texts} Texts */

/** A connection that comes back sooner is not worth a line. */
const BRIEF_MS = 1_200;

export class Status {
  #texts;
  #state = need(document, "[data-connection]", HTMLElement);
  #trouble = need(document, "[data-trouble]", HTMLElement);
  #words = need(this.#trouble, "[data-trouble-words]", HTMLElement);
  #when = need(this.#trouble, "[data-trouble-when]", HTMLElement);
  #action = need(this.#trouble, "[data-trouble-action]", HTMLButtonElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #brief;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #tick;

  /**
   * @param {Texts} texts
   * @param {() => void} tryNow
   */
  constructor(texts, tryNow) {
    this.#texts = texts;
    this.#action.addEventListener("click", tryNow);
  }

  /**
   * @param {State} state
   * @param {number} [delayMs] How long until the next try.
   */
  show(state, delayMs = 0) {
    this.#state.dataset.state = state;
    this.#state.textContent = this.#texts.text(`state-${state}`);
    const troubled = state === "reconnecting" || state === "offline";
    if (troubled) this.#showTrouble(state, delayMs);
    else if (state !== "connecting" && state !== "catching-up") this.#hideTrouble();
  }

  /**
   * @param {"reconnecting" | "offline"} state
   * @param {number} delayMs
   */
  #showTrouble(state, delayMs) {
    this.#words.textContent = this.#texts.text(state === "offline" ? "trouble-offline" : "trouble-lost");
    this.#action.hidden = state === "offline";
    this.#countDown(state === "offline" ? Infinity : delayMs);
    this.#brief ??= setTimeout(() => (this.#trouble.hidden = false), BRIEF_MS);
  }

  #hideTrouble() {
    clearTimeout(this.#brief);
    this.#brief = undefined;
    clearInterval(this.#tick);
    this.#trouble.hidden = true;
  }

  /** @param {number} delayMs */
  #countDown(delayMs) {
    clearInterval(this.#tick);
    if (delayMs === Infinity) return this.#when.replaceChildren();
    const end = Date.now() + delayMs;
    const say = () => {
      const count = Math.ceil((end - Date.now()) / 1_000);
      this.#when.textContent = count > 0 ? this.#texts.text("trouble-next", { count }) : this.#texts.text("trouble-trying");
    };
    say();
    this.#tick = setInterval(say, 1_000);
  }
}

// Shows the state of the connection.

import { need } from "../../dom.js";
import { Countdown } from "../../countdown.js";

/** @typedef {import("./connection.js").State} State */
/** @typedef {import("../../texts.js").Texts} Texts */

/** The page reports only interruptions that are longer than this. */
const BRIEF_MS = 1_200;

export class Status {
  #texts;
  #state = need(document, "[data-connection]", HTMLElement);
  #trouble = need(document, "[data-trouble]", HTMLElement);
  #words = need(this.#trouble, "[data-trouble-words]", HTMLElement);
  #action = need(this.#trouble, "[data-trouble-action]", HTMLButtonElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #brief;
  #countdown;

  /**
   * @param {Texts} texts
   * @param {() => void} tryNow
   */
  constructor(texts, tryNow) {
    this.#texts = texts;
    this.#countdown = new Countdown(need(this.#trouble, "[data-trouble-when]", HTMLElement), (count) =>
      count > 0 ? texts.text("trouble-next", { count }) : texts.text("trouble-trying"),
    );
    this.#action.addEventListener("click", tryNow);
  }

  /**
   * @param {State} state
   * @param {number} [delayMs] The time until the next attempt.
   */
  show(state, delayMs = 0) {
    this.#state.dataset.state = state;
    this.#state.textContent = this.#texts.text(`state-${state}`);
    const words = this.#wordsFor(state);
    if (words) this.#showTrouble(state, words, delayMs);
    else if (state !== "connecting" && state !== "catching-up") this.#hideTrouble();
  }

  /** @param {State} state */
  #wordsFor(state) {
    switch (state) {
      case "reconnecting":
        return this.#texts.text("trouble-lost");
      case "restarting":
        return this.#texts.text("trouble-restarting");
      case "unavailable":
        return this.#texts.text("trouble-unavailable");
      case "too-fast":
        return this.#texts.text("trouble-too-fast");
      case "offline":
        return this.#texts.text("trouble-offline");
      default:
        return "";
    }
  }

  /**
   * @param {State} state
   * @param {string} words
   * @param {number} delayMs
   */
  #showTrouble(state, words, delayMs) {
    const offline = state === "offline"; // Without a network, the page has no next attempt to announce.
    this.#words.textContent = words;
    this.#action.hidden = offline;
    if (offline) this.#countdown.stop();
    else this.#countdown.start(Date.now() + delayMs);
    this.#brief ??= setTimeout(() => (this.#trouble.hidden = false), BRIEF_MS);
  }

  #hideTrouble() {
    clearTimeout(this.#brief);
    this.#brief = undefined;
    this.#countdown.stop();
    this.#trouble.hidden = true;
  }
}

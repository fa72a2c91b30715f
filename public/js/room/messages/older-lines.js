// Loads older messages when the reader scrolls up.

import { need } from "../../dom.js";
import { fetchJson } from "../../api.js";

/** @typedef {import("../../api.js").Chat} Chat */

/** The page fetches older messages at this distance before the reader reaches the start of the log. */
const AHEAD = "600px 0px 0px 0px";
/** Messages for each request: a little more than a screen, and the maximum that the server returns. */
const [SOME, MANY] = [50, 100];

export class OlderLines {
  #callbacks;
  #log = need(document, "[data-log]", HTMLElement);
  #sign = need(document, "[data-older]", HTMLElement);
  #watch;

  /** @param {{ room: string, oldest: () => number, show: (chats: Chat[]) => void }} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.#watch = new IntersectionObserver((entries) => this.#seen(entries), { root: this.#log, rootMargin: AHEAD });
    if (!this.#sign.hidden) this.#watch.observe(this.#sign);
  }

  /** Offers older messages: the log began without them. */
  offer() {
    if (!this.#sign.hidden) return;
    this.#sign.hidden = false;
    this.#watch.observe(this.#sign);
  }

  /**
   * Loads messages back to this sequence number, or to the start of the history.
   * @param {number} seq
   */
  async reach(seq) {
    while (!this.#sign.hidden && this.#callbacks.oldest() > seq && (await this.#load(MANY)));
  }

  /** @param {IntersectionObserverEntry[]} entries */
  async #seen(entries) {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    this.#watch.unobserve(this.#sign);
    const loaded = await this.#load(SOME);
    if (loaded)
      this.#watch.observe(this.#sign); // When the sign is still in view, the observer fires again at once.
    else this.#log.addEventListener("scroll", () => this.#watch.observe(this.#sign), { once: true });
  }

  /**
   * Loads one page and returns whether that succeeded. Afterwards, a hidden sign means that the history has no more.
   * @param {number} limit
   */
  async #load(limit) {
    this.#log.setAttribute("aria-busy", "true"); // Stops screen readers from announcing old messages.
    try {
      const query = new URLSearchParams({ before: String(this.#callbacks.oldest()), limit: String(limit) });
      const { chats, more } = await fetchJson(`/room/${this.#callbacks.room}/chat?${query}`);
      this.#callbacks.show(chats);
      this.#sign.hidden = !more;
      return true;
    } catch {
      return false;
    } finally {
      this.#log.removeAttribute("aria-busy");
    }
  }
}

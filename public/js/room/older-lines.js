// Older messages, as the reader scrolls up to them.

import { need } from "../dom.js";
import { fetchJson } from "../wire.js";

/** @typedef {import("../wire.js").Chat} Chat */

/** How far ahead of the reader they are fetched. */
const AHEAD = "600px 0px 0px 0px";
/** How many at once: a little more than a screen, or as many as there may be. */
const [SOME, MANY] = [50, 100];

export class OlderLines {
  #ways;
  #log = need(document, "[data-log]", HTMLElement);
  #sign = need(document, "[data-older]", HTMLElement);
  #watch;

  /** @param {{ room: string, oldest: () => number, show: (chats: Chat[]) => void }} ways */
  constructor(ways) {
    this.#ways = ways;
    this.#watch = new IntersectionObserver((entries) => this.#seen(entries), { root: this.#log, rootMargin: AHEAD });
    if (!this.#sign.hidden) this.#watch.observe(this.#sign);
  }

  /**
   * Brings everything up to this message, as far as it is there.
   * @param {number} seq
   */
  async reach(seq) {
    while (!this.#sign.hidden && this.#ways.oldest() > seq && (await this.#load(MANY)));
  }

  /** @param {IntersectionObserverEntry[]} entries */
  async #seen(entries) {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    this.#watch.unobserve(this.#sign);
    const loaded = await this.#load(SOME);
    if (loaded) this.#watch.observe(this.#sign); // Still in view, it asks again at once.
    else this.#log.addEventListener("scroll", () => this.#watch.observe(this.#sign), { once: true });
  }

  /**
   * Whether they came; then there may be more, unless the sign is hidden.
   * @param {number} limit
   */
  async #load(limit) {
    this.#log.setAttribute("aria-busy", "true"); // Nothing new was said: nothing is to be read out.
    try {
      const query = new URLSearchParams({ before: String(this.#ways.oldest()), limit: String(limit) });
      const { chats, more } = await fetchJson(`/room/${this.#ways.room}/chat?${query}`);
      this.#ways.show(chats);
      this.#sign.hidden = !more;
      return true;
    } catch {
      return false;
    } finally {
      this.#log.removeAttribute("aria-busy");
    }
  }
}

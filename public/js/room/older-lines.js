// Older messages, as the reader scrolls up to them.

import { need } from "../dom.js";
import { fetchJson } from "../wire.js";

/** @typedef {import("../wire.js").Chat} Chat */

/** How far ahead of the reader they are fetched. */
const AHEAD = "600px 0px 0px 0px";

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

  /** @param {IntersectionObserverEntry[]} entries */
  async #seen(entries) {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    this.#watch.unobserve(this.#sign);
    this.#log.setAttribute("aria-busy", "true"); // Nothing new was said: nothing is to be read out.
    try {
      const query = new URLSearchParams({ before: String(this.#ways.oldest()), limit: "50" });
      const { chats, more } = await fetchJson(`/room/${this.#ways.room}/chat?${query}`);
      this.#ways.show(chats);
      if (more) this.#watch.observe(this.#sign); // Still in view, it asks again at once.
      else this.#sign.hidden = true;
    } catch {
      this.#log.addEventListener("scroll", () => this.#watch.observe(this.#sign), { once: true });
    } finally {
      this.#log.removeAttribute("aria-busy");
    }
  }
}

// Plays and pauses GIFs. With reduced motion preferred, the page shows the poster until the reader plays the GIF.

import { need } from "../../dom.js";

/** @typedef {import("../../texts.js").Texts} Texts */

export class GifPlayer {
  #texts;
  #log = need(document, "[data-log]", HTMLElement);
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
    this.#log.addEventListener("click", (event) => this.#toggle(event));
    this.#log.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#want(event, true));
    this.#log.addEventListener("pointerout", (event) => event.pointerType === "mouse" && this.#want(event, false));
    this.#log.addEventListener("focusin", (event) => this.#want(event, true));
    this.#log.addEventListener("focusout", (event) => this.#want(event, false));
    this.#calm.addEventListener("change", () => this.#settleAll());
    new MutationObserver(() => this.#settleAll()).observe(need(this.#log, "[data-lines]", HTMLElement), {
      childList: true,
    });
    this.#settleAll();
  }

  /** Plays or pauses each GIF according to the motion preference, unless the reader has chosen for it. */
  #settleAll() {
    for (const gif of this.#log.querySelectorAll("[data-gif]:not([data-pinned])")) {
      if (gif instanceof HTMLElement) this.#play(gif, !this.#calm.matches);
    }
  }

  /** @param {Event} event */
  #toggle(event) {
    const gif = gifOf(event);
    if (!gif) return;
    gif.dataset.pinned = ""; // The reader's choice overrides the motion preference.
    this.#play(gif, "still" in gif.dataset);
  }

  /**
   * Plays a GIF while the pointer is over it or it has the focus.
   * @param {Event} event
   * @param {boolean} wanted
   */
  #want(event, wanted) {
    const gif = gifOf(event);
    if (!gif || !this.#calm.matches || "pinned" in gif.dataset) return;
    const touched = event.type === "focusin" && !gif.matches(":has(:focus-visible)");
    if (!touched) this.#play(gif, wanted);
  }

  /**
   * @param {HTMLElement} gif
   * @param {boolean} playing
   */
  #play(gif, playing) {
    if (gif.dataset.moving !== "true") return;
    const source = need(gif, "source", HTMLSourceElement);
    const file = need(gif, "img", HTMLImageElement).dataset.file ?? "";
    const shown = playing ? file : (source.dataset.poster ?? "");
    source.media = "all";
    if (source.srcset !== shown) source.srcset = shown;
    gif.toggleAttribute("data-still", !playing);
    const label = this.#texts.text(playing ? "gif-pause" : "gif-play");
    need(gif, "[data-gif-button]", HTMLButtonElement).setAttribute("aria-label", label);
  }
}

/** @param {Event} event */
function gifOf({ target }) {
  const gif = target instanceof Element ? target.closest("[data-gif]") : null;
  return gif instanceof HTMLElement ? gif : null;
}

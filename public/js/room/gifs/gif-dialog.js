// Dialog that shows a preview of a GIF before the reader shares it.

import { need } from "../../dom.js";
import { previewOf } from "./gif-preview.js";

/** @typedef {import("../../texts.js").Texts} Texts */

export class GifDialog {
  #texts;
  #most;
  #dialog = need(document, "[data-gif-dialog]", HTMLDialogElement);
  #preview = need(this.#dialog, "[data-gif-preview]", HTMLElement);
  #facts = need(this.#dialog, "[data-gif-facts]", HTMLElement);
  #problem = need(this.#dialog, "[data-gif-problem]", HTMLElement);
  #share = need(this.#dialog, "[data-gif-send]", HTMLButtonElement);
  /** @type {File | null} */
  #file = null;

  /**
   * @param {Texts} texts
   * @param {number} most The maximum size of a GIF, in bytes.
   * @param {(file: File) => void} share
   */
  constructor(texts, most, share) {
    this.#texts = texts;
    this.#most = most;
    need(this.#dialog, "[data-gif-form]", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#file) share(this.#file);
      this.#dialog.close();
    });
    need(this.#dialog, "[data-gif-cancel]", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#clear());
  }

  /** @param {File} file */
  open(file) {
    if (this.#dialog.open) return;
    this.#clear();
    this.#file = file;
    this.#dialog.showModal();
    this.#share.focus();
    void this.#show(file);
  }

  /** @param {File} file */
  async #show(file) {
    if (file.size > this.#most) {
      this.#problem.textContent = this.#texts.error("too_large", { size: this.#texts.size(this.#most) });
      return;
    }
    try {
      const { picture, width, height } = await previewOf(file);
      if (this.#file !== file) return; // The reader closed the dialog meanwhile.
      picture.className = "gif-preview__picture";
      picture.ariaLabel = this.#texts.text("gif-preview");
      this.#preview.replaceChildren(picture);
      this.#facts.textContent = this.#texts.text("gif-facts", {
        width: String(width),
        height: String(height),
        size: this.#texts.size(file.size),
      });
      this.#share.disabled = false;
      this.#share.focus();
    } catch {
      if (this.#file === file) this.#problem.textContent = this.#texts.error("bad_gif");
    }
  }

  #clear() {
    this.#file = null;
    this.#preview.replaceChildren();
    this.#facts.textContent = "";
    this.#problem.textContent = "";
    this.#share.disabled = true;
  }
}

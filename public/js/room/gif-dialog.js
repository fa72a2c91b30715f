// A look at the GIF before it is shared, and how far it has got while it is.

import { need } from "../dom.js";
import { codeOf } from "../wire.js";
import { GifUpload } from "./gif-upload.js";

/** @typedef {import("../texts.js").Texts} Texts */

export class GifDialog {
  #texts;
  #room;
  #most = Number(need(document, "[data-max-gif-bytes]", HTMLElement).dataset.maxGifBytes);
  #dialog = need(document, "[data-gif-dialog]", HTMLDialogElement);
  #moving = need(this.#dialog, "[data-gif-preview]", HTMLImageElement);
  #still = need(this.#dialog, "[data-gif-still]", HTMLCanvasElement);
  #facts = need(this.#dialog, "[data-gif-facts]", HTMLElement);
  #problem = need(this.#dialog, "[data-gif-problem]", HTMLElement);
  #progress = need(this.#dialog, "[data-gif-progress]", HTMLProgressElement);
  #share = need(this.#dialog, "[data-gif-send]", HTMLButtonElement);
  /** @type {File | null} */
  #file = null;
  /** The same for every try with this file, so that it is shared once. */
  #clientId = "";
  /** @type {GifUpload | null} */
  #upload = null;

  /**
   * @param {Texts} texts
   * @param {string} room
   */
  constructor(texts, room) {
    this.#texts = texts;
    this.#room = room;
    need(this.#dialog, "[data-gif-form]", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    need(this.#dialog, "[data-gif-cancel]", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#closed());
  }

  /** @param {File} file */
  open(file) {
    if (this.#dialog.open) return;
    this.#file = file;
    this.#clientId = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.#problem.textContent = "";
    this.#facts.textContent = "";
    this.#progress.hidden = true;
    this.#share.disabled = true;
    this.#dialog.showModal();
    this.#share.focus();
    void this.#preview(file);
  }

  /** @param {File} file */
  async #preview(file) {
    if (file.size > this.#most) {
      this.#problem.textContent = this.#texts.error("too_large", { size: this.#texts.size(this.#most) });
      return;
    }
    try {
      const { width, height } = await this.#show(file);
      this.#facts.textContent = this.#texts.text("gif-facts", {
        width: String(width),
        height: String(height),
        size: this.#texts.size(file.size),
      });
      this.#share.disabled = false;
      this.#share.focus();
    } catch {
      this.#problem.textContent = this.#texts.error("bad_gif");
    }
  }

  /** @param {File} file */
  async #show(file) {
    const first = await createImageBitmap(file);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { width, height } = first;
    if (calm) {
      this.#still.width = width;
      this.#still.height = height;
      this.#still.getContext("2d")?.drawImage(first, 0, 0);
    } else {
      this.#moving.src = URL.createObjectURL(file);
      await this.#moving.decode();
    }
    this.#still.hidden = !calm;
    this.#moving.hidden = calm;
    return { width, height };
  }

  async #send() {
    if (!this.#file || this.#upload) return;
    this.#problem.textContent = "";
    this.#progress.value = 0;
    this.#progress.hidden = false;
    this.#share.disabled = true;
    const upload = new GifUpload(this.#room, this.#file, this.#clientId);
    this.#upload = upload;
    try {
      await upload.send((percent) => (this.#progress.value = percent));
      this.#upload = null;
      this.#dialog.close();
    } catch (error) {
      if (this.#upload !== upload) return; // It was cancelled.
      this.#upload = null;
      this.#progress.hidden = true;
      this.#problem.textContent = this.#texts.error(codeOf(error), { size: this.#texts.size(this.#most) });
      this.#share.disabled = false;
      this.#share.focus();
    }
  }

  #closed() {
    const upload = this.#upload;
    this.#upload = null;
    upload?.cancel();
    this.#file = null;
    this.#still.hidden = true;
    this.#moving.hidden = true;
    URL.revokeObjectURL(this.#moving.src);
    this.#moving.removeAttribute("src");
  }
}

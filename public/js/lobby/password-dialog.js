// Dialog that asks for the password of a room inside the lobby.

import { need } from "../dom.js";
import { codeOf, fetchJson } from "../api.js";

/** @typedef {import("../texts.js").Texts} Texts */

export class PasswordDialog {
  #texts;
  #dialog = need(document, "[data-password-dialog]", HTMLDialogElement);
  #form = need(this.#dialog, "[data-password-form]", HTMLFormElement);
  #field = need(this.#dialog, "[name=password]", HTMLInputElement);
  #problem = need(this.#dialog, "[data-password-problem]", HTMLElement);
  #room = need(this.#dialog, "[data-password-room]", HTMLElement);

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#field.addEventListener("input", () => this.#say(""));
    this.#dialog.addEventListener("close", () => this.#cleanAddress());
    if (this.#dialog.open) this.#makeModal();
  }

  /**
   * @param {HTMLAnchorElement} link The room's card.
   */
  open(link) {
    this.#form.action = `${link.pathname}/enter`;
    this.#room.textContent = link.textContent?.trim() ?? "";
    this.#field.value = "";
    this.#say("");
    this.#dialog.showModal();
  }

  /** Reopens as modal the dialog that the server rendered open for browsers without scripts. */
  #makeModal() {
    this.#dialog.removeAttribute("open");
    this.#dialog.showModal();
  }

  /** Removes the query parameters, so that a reload does not open the dialog again. */
  #cleanAddress() {
    const address = new URL(location.href);
    address.searchParams.delete("room");
    address.searchParams.delete("error");
    history.replaceState(null, "", address);
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    if (this.#form.hasAttribute("aria-busy")) return;
    this.#form.setAttribute("aria-busy", "true");
    try {
      const body = new URLSearchParams({ password: this.#field.value });
      await fetchJson(this.#form.action, { method: "POST", body });
      location.assign(this.#form.action.replace(/\/enter$/, ""));
    } catch (error) {
      this.#say(this.#texts.error(codeOf(error)));
      this.#field.select();
    } finally {
      this.#form.removeAttribute("aria-busy");
    }
  }

  /** @param {string} words */
  #say(words) {
    this.#problem.textContent = words;
    this.#field.toggleAttribute("aria-invalid", words !== "");
    if (words !== "") this.#field.setAttribute("aria-invalid", "true");
  }
}

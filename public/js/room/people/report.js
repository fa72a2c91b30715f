// Report dialog: sends a report about a message, a person or the room to the operator of the server.

import { need } from "../../dom.js";
import { codeOf, fetchJson } from "../../api.js";

/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../../texts.js").Texts} Texts */
/** @typedef {{ seq: number } | { person: Person } | {}} What The subject of a report; `{}` is the room. */

export class Report {
  #texts;
  #room;
  #dialog = need(document, "[data-report-dialog]", HTMLDialogElement);
  #title = need(this.#dialog, "[data-report-title]", HTMLElement);
  #form = need(this.#dialog, "form", HTMLFormElement);
  #why = need(this.#form, "[name=why]", HTMLTextAreaElement);
  #problem = need(this.#form, "[data-report-problem]", HTMLElement);
  #done = need(this.#dialog, "[data-report-done]", HTMLElement);
  /** @type {What} */
  #what = {};

  /**
   * @param {Texts} texts
   * @param {string} room
   */
  constructor(texts, room) {
    this.#texts = texts;
    this.#room = room;
    need(document, "[data-report-room]", HTMLButtonElement).addEventListener("click", () => this.open({}));
    for (const button of this.#dialog.querySelectorAll("[data-report-close]")) {
      button.addEventListener("click", () => this.#dialog.close());
    }
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  /** @param {What} what */
  open(what) {
    this.#what = what;
    this.#title.textContent = this.#words(what);
    this.#problem.textContent = "";
    this.#why.value = "";
    this.#form.hidden = false;
    this.#done.hidden = true;
    this.#dialog.showModal();
  }

  /** @param {What} what */
  #words(what) {
    if ("seq" in what) return this.#texts.text("report-message");
    if ("person" in what) return this.#texts.text("report-person", { person: this.#texts.person(what.person) });
    return this.#texts.text("report-room");
  }

  async #send() {
    const about = "person" in this.#what ? { person: this.#what.person.id } : this.#what;
    const body = JSON.stringify({ ...about, why: this.#why.value });
    const headers = { "Content-Type": "application/json" };
    try {
      await fetchJson(`/room/${this.#room}/report`, { method: "POST", headers, body });
    } catch (error) {
      this.#problem.textContent = this.#texts.error(codeOf(error));
      return;
    }
    this.#form.hidden = true;
    this.#done.hidden = false;
    need(this.#done, "button", HTMLButtonElement).focus();
  }
}

// Who is here.

import { copyOf, need, paint } from "../dom.js";

/** @typedef {import("../wire.js").Person} Person */
/** @typedef {import("../wire.js").Welcome} Welcome */
/** @typedef {import("../texts.js").Texts} Texts */

export class Members {
  #texts;
  #me;
  #owner = need(document, "[data-owner]", HTMLElement).dataset.owner ?? "";
  #list = need(document, "[data-people]", HTMLElement);
  #counts = document.querySelectorAll("[data-people-count]");
  #toggle = need(document, "[data-people-toggle]", HTMLElement);
  #waiting = need(document, "[data-waiting]", HTMLElement);

  /**
   * @param {Texts} texts
   * @param {string} me
   */
  constructor(texts, me) {
    this.#texts = texts;
    this.#me = me;
  }

  /** @param {Pick<Welcome, "people" | "room">} welcome */
  replaceBy({ people, room }) {
    this.#owner = room.owner.id;
    this.#list.replaceChildren(...people.map((person) => this.#row(person)));
    this.#counted();
  }

  /** @param {Person} person */
  add(person) {
    const row = this.#row(person);
    const known = this.#find(person.id);
    if (known) return known.replaceWith(row);
    row.classList.add("member--arriving");
    this.#list.append(row);
    this.#counted();
  }

  /** @param {Person} person */
  remove({ id }) {
    this.#find(id)?.remove();
    this.#counted();
  }

  /** @param {Person} person */
  crown({ id }) {
    this.#owner = id;
    for (const row of this.#list.children) {
      need(row, "[data-host]", HTMLElement).hidden = row.getAttribute("data-person") !== id;
    }
  }

  /** @param {string} id */
  #find(id) {
    return this.#list.querySelector(`[data-person="${CSS.escape(id)}"]`);
  }

  /** @param {Person} person */
  #row(person) {
    const row = copyOf("member");
    row.dataset.person = person.id;
    paint(need(row, "[data-color]", HTMLElement), person.color);
    need(row, "[data-name]", HTMLElement).textContent = this.#texts.person(person);
    need(row, "[data-you]", HTMLElement).hidden = person.id !== this.#me;
    need(row, "[data-host]", HTMLElement).hidden = person.id !== this.#owner;
    return row;
  }

  #counted() {
    const count = this.#list.childElementCount;
    for (const element of this.#counts) element.textContent = String(count);
    this.#toggle.setAttribute("aria-label", this.#texts.text("people-here-count", { count }));
    this.#waiting.hidden = [...this.#list.children].some((row) => row.getAttribute("data-person") !== this.#me);
  }
}

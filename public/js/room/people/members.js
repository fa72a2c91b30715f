// List of the people in the room: the host first, then the others in the order of their arrival.

import { copyOf, need, paint } from "../../dom.js";

/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../../api.js").Welcome} Welcome */
/** @typedef {import("../../texts.js").Texts} Texts */

export class Members {
  #texts;
  #me;
  #owner = need(document, "[data-owner]", HTMLElement).dataset.owner ?? "";
  #list = need(document, "[data-people]", HTMLElement);
  #counts = document.querySelectorAll("[data-people-count]");
  #toggle = need(document, "[data-people-toggle]", HTMLElement);
  #waiting = need(document, "[data-waiting]", HTMLElement);
  #callbacks;
  /** @type {Map<string, Person>} */
  #people = new Map();

  /**
   * @param {Texts} texts
   * @param {string} me
   * @param {{ chosen: (person: Person) => void, host: (mine: boolean) => void }} callbacks
   */
  constructor(texts, me, callbacks) {
    this.#texts = texts;
    this.#me = me;
    this.#callbacks = callbacks;
    this.#list.addEventListener("click", ({ target }) => {
      const row = target instanceof Element ? target.closest("button[data-choose]")?.closest("[data-person]") : null;
      const person = this.#people.get(row?.getAttribute("data-person") ?? "");
      if (person) callbacks.chosen(person);
    });
  }

  /** All people in the room except the reader. */
  get others() {
    return [...this.#people.values()].filter(({ id }) => id !== this.#me);
  }

  get isHost() {
    return this.#owner === this.#me;
  }

  /**
   * Finds the person whose name starts the text, and returns the text after the name. The longest name wins, because
   * one name can start with another.
   * @param {string} words
   */
  addressed(words) {
    const named = this.others.map((person) => ({ person, name: this.#texts.called(person) }));
    named.sort((one, other) => other.name.length - one.name.length);
    const found = named.find(({ name }) => {
      const start = words.slice(0, name.length).toLocaleLowerCase();
      return start === name.toLocaleLowerCase() && /^(\s|$)/u.test(words.slice(name.length));
    });
    return found ? { person: found.person, rest: words.slice(found.name.length).trimStart() } : null;
  }

  /** @param {Pick<Welcome, "people" | "room">} welcome */
  replaceBy({ people, room }) {
    this.#owner = room.owner.id;
    this.#people = new Map(people.map((person) => [person.id, person]));
    this.#callbacks.host(this.isHost);
    this.#list.replaceChildren(...people.map((person) => this.#row(person)));
    this.#putFirst(this.#owner);
    this.#counted();
  }

  /** @param {Person} person */
  add(person) {
    this.#people.set(person.id, person);
    const row = this.#row(person);
    const known = this.#find(person.id);
    if (known) return known.replaceWith(row);
    row.classList.add("member--arriving");
    this.#list.append(row);
    if (person.id === this.#owner) this.#putFirst(person.id);
    this.#counted();
  }

  /** @param {Person} person */
  remove({ id }) {
    this.#people.delete(id);
    this.#find(id)?.remove();
    this.#counted();
  }

  /** @param {Person} person */
  crown({ id }) {
    this.#owner = id;
    this.#callbacks.host(this.isHost);
    for (const row of this.#list.children) {
      need(row, "[data-host]", HTMLElement).hidden = row.getAttribute("data-person") !== id;
    }
    this.#putFirst(id);
  }

  /** @param {string} id */
  #putFirst(id) {
    const row = this.#find(id);
    if (row && row !== this.#list.firstElementChild) this.#list.prepend(row);
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
    need(row, "[data-name]", HTMLElement).textContent = this.#texts.called(person);
    need(row, "[data-bot]", HTMLElement).hidden = !person.bot;
    const choose = need(row, "[data-choose]", HTMLButtonElement);
    choose.hidden = person.id === this.#me;
    choose.ariaLabel = this.#texts.text("person-actions", { person: this.#texts.person(person) });
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

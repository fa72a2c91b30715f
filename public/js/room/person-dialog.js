// What can be done about somebody who is here: whisper, hide what they say, report them, and as the host give them the
// room or remove them.

import { need, paint } from "../dom.js";

/** @typedef {import("../wire.js").Person} Person */
/** @typedef {import("../texts.js").Texts} Texts */

/**
 * @typedef {object} Ways
 * @property {() => boolean} isHost Whether I own the room.
 * @property {(person: Person) => void} whisper
 * @property {(id: string) => boolean} isHidden
 * @property {(id: string) => void} toggle Hides what they say, or shows it again.
 * @property {(id: string) => Promise<unknown>} promote
 * @property {(id: string) => Promise<unknown>} remove
 * @property {(person: Person) => void} report
 * @property {(error: unknown) => string} explain
 */

export class PersonDialog {
  #texts;
  #ways;
  #dialog = need(document, "[data-person-dialog]", HTMLDialogElement);
  #problem = need(this.#dialog, "[data-person-problem]", HTMLElement);
  #hide = this.#button("hide");
  /** @type {Person | null} */
  #person = null;

  /**
   * @param {Texts} texts
   * @param {Ways} ways
   */
  constructor(texts, ways) {
    this.#texts = texts;
    this.#ways = ways;
    this.#on("whisper", (person) => ways.whisper(person));
    this.#on("hide", ({ id }) => ways.toggle(id));
    this.#on("promote", ({ id }) => ways.promote(id));
    this.#on("remove", ({ id }) => ways.remove(id));
    this.#on("report", (person) => ways.report(person));
    this.#button("close").addEventListener("click", () => this.#dialog.close());
  }

  /** @param {Person} person */
  open(person) {
    this.#person = person;
    this.#problem.textContent = "";
    const name = need(this.#dialog, "[data-person-name]", HTMLElement);
    name.textContent = this.#texts.person(person);
    paint(need(this.#dialog, "[data-person-color]", HTMLElement), person.color);
    const hidden = this.#ways.isHidden(person.id);
    this.#hide.textContent = hidden ? this.#texts.text("person-show") : this.#texts.text("person-hide");
    for (const what of ["promote", "remove"]) this.#button(what).hidden = !this.#ways.isHost();
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** @param {string} id Somebody who has left. */
  closeFor(id) {
    if (this.#person?.id === id) this.#dialog.close();
  }

  /** @param {string} what */
  #button(what) {
    return need(this.#dialog, `[data-person-action="${what}"]`, HTMLButtonElement);
  }

  /**
   * @param {string} what
   * @param {(person: Person) => unknown} act
   */
  #on(what, act) {
    this.#button(what).addEventListener("click", () => void this.#act(act));
  }

  /** @param {(person: Person) => unknown} act */
  async #act(act) {
    const person = this.#person;
    if (!person) return;
    try {
      await act(person);
      if (this.#person === person) this.#dialog.close();
    } catch (error) {
      this.#problem.textContent = this.#ways.explain(error);
    }
  }
}

// Dialog with the actions for a person: whisper, mute and report. The host can also transfer the room to them or remove
// them.

import { need, paint } from "../../dom.js";

/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../../texts.js").Texts} Texts */

/**
 * @typedef {object} Callbacks
 * @property {() => boolean} isHost Whether the reader is the host.
 * @property {(person: Person) => void} whisper
 * @property {(id: string) => boolean} isMuted
 * @property {(id: string) => void} toggleMute Mutes or unmutes the person.
 * @property {(id: string) => Promise<unknown>} promote
 * @property {(id: string) => Promise<unknown>} remove
 * @property {(person: Person) => void} report
 * @property {(error: unknown) => string} explain
 */

export class PersonDialog {
  #texts;
  #callbacks;
  #dialog = need(document, "[data-person-dialog]", HTMLDialogElement);
  #problem = need(this.#dialog, "[data-person-problem]", HTMLElement);
  #hide = this.#button("hide");
  /** @type {Person | null} */
  #person = null;

  /**
   * @param {Texts} texts
   * @param {Callbacks} callbacks
   */
  constructor(texts, callbacks) {
    this.#texts = texts;
    this.#callbacks = callbacks;
    this.#on("whisper", (person) => callbacks.whisper(person));
    this.#on("hide", ({ id }) => callbacks.toggleMute(id));
    this.#on("promote", ({ id }) => callbacks.promote(id));
    this.#on("remove", ({ id }) => callbacks.remove(id));
    this.#on("report", (person) => callbacks.report(person));
    this.#button("close").addEventListener("click", () => this.#dialog.close());
  }

  /** @param {Person} person */
  open(person) {
    this.#person = person;
    this.#problem.textContent = "";
    const name = need(this.#dialog, "[data-person-name]", HTMLElement);
    name.textContent = this.#texts.person(person);
    paint(need(this.#dialog, "[data-person-color]", HTMLElement), person.color);
    const hidden = this.#callbacks.isMuted(person.id);
    this.#hide.textContent = hidden ? this.#texts.text("person-show") : this.#texts.text("person-hide");
    this.#button("remove").hidden = !this.#callbacks.isHost();
    this.#button("promote").hidden = !this.#callbacks.isHost() || person.bot === true; // A bot owns no room.
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** @param {string} id The person who has left. */
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
      this.#problem.textContent = this.#callbacks.explain(error);
    }
  }
}

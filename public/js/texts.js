// Texts of the page in its language, from the same Fluent files that the server uses.

import { FluentBundle, FluentResource } from "../lib/fluent/index.js";

/** @typedef {{ hue: string, number: string | number, bot?: boolean }} Name */
/** @typedef {Record<string, string | number>} Variables */

export class Texts {
  #bundle;
  #language;

  /**
   * @param {string} language
   * @param {string} source
   */
  constructor(language, source) {
    this.#language = language;
    this.#bundle = new FluentBundle(language, { useIsolating: false });
    this.#bundle.addResource(new FluentResource(source));
  }

  /** Loads the file that `<html data-texts>` names. */
  static async load() {
    const { lang, dataset } = document.documentElement;
    const response = await fetch(dataset.texts ?? "");
    return new Texts(lang, await response.text());
  }

  get language() {
    return this.#language;
  }

  /**
   * @param {string} key
   * @param {Variables} [variables]
   */
  text(key, variables) {
    const pattern = this.#bundle.getMessage(key)?.value;
    if (!pattern) {
      console.error(`text missing: ${key}`);
      return key;
    }
    return this.#bundle.formatPattern(pattern, variables);
  }

  /**
   * Returns the name of a person for use in a sentence, with a note for a bot.
   * @param {Name} person
   */
  person(person) {
    const name = this.called(person);
    return person.bot ? this.text("person-bot", { name }) : name;
  }

  /**
   * Returns the name of a person without the note for a bot, which the page shows beside it.
   * @param {Name} person
   */
  called({ hue, number }) {
    return this.text("person", { hue: this.text(`hue-${hue}`), number: String(number) });
  }

  /**
   * Returns the localized name; an empty string for an unknown colour word.
   * @param {string} hue
   * @param {string} number
   */
  name(hue, number) {
    return this.#bundle.hasMessage(`hue-${hue}`) ? this.called({ hue, number }) : "";
  }

  /**
   * Returns the message for an error code: what went wrong, and what to do next.
   * @param {string} code
   * @param {Variables} [variables]
   */
  error(code, variables) {
    const key = `error-${code}`;
    return this.text(this.#bundle.hasMessage(key) ? key : "error-unknown", variables);
  }

  /** @param {number} bytes */
  size(bytes) {
    const [unit, amount] = bytes < 1_000_000 ? ["kilobyte", bytes / 1_000] : ["megabyte", bytes / 1_000_000];
    const format = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: unit === "megabyte" ? 1 : 0 };
    return new Intl.NumberFormat(this.#language, /** @type {Intl.NumberFormatOptions} */ (format)).format(amount);
  }
}

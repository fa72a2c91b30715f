// The words of the page, in its language: the same Fluent files that the server reads.

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

  /** Those that `<html lang data-texts>` names. */
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
   * What somebody is called in a sentence; of a bot it says so.
   * @param {Name} person
   */
  person(person) {
    const name = this.called(person);
    return person.bot ? this.text("person-bot", { name }) : name;
  }

  /**
   * What somebody is called. That they are a bot is said beside it.
   * @param {Name} person
   */
  called({ hue, number }) {
    return this.text("person", { hue: this.text(`hue-${hue}`), number: String(number) });
  }

  /**
   * A name in the reader's words; empty when there is no such colour word.
   * @param {string} hue
   * @param {string} number
   */
  name(hue, number) {
    return this.#bundle.hasMessage(`hue-${hue}`) ? this.called({ hue, number }) : "";
  }

  /**
   * What went wrong, and what to do next.
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

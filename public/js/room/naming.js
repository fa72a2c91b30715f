// Naming somebody who is here: after an `@`, a list of those whose names begin so.

import { copyOf, need, paint } from "../dom.js";

/** @typedef {import("../texts.js").Texts} Texts */
/** @typedef {import("../wire.js").Person} Person */

/** As many are offered at once. */
const MOST = 6;
/** An `@` that begins a word, and what is written of a name after it. */
const BEGUN = /(?:^|\s)@(?<begun>[^\s@](?:[^@\n]{0,18})?)?$/u;

/**
 * Offers names while one is being written. The keys that choose one do nothing else.
 * @param {Texts} texts
 * @param {() => Person[]} people Those who can be named.
 */
export function offerNames(texts, people) {
  const words = need(document, "[data-composer] [data-words]", HTMLTextAreaElement);
  const list = need(document, "[data-mentions]", HTMLElement);
  /** @type {string[]} */
  let names = [];
  let chosen = 0;

  const begun = () => {
    const { selectionStart, selectionEnd, value } = words;
    if (selectionStart !== selectionEnd) return null;
    const found = BEGUN.exec(value.slice(0, selectionStart));
    return found ? (found.groups?.begun ?? "") : null;
  };

  const close = () => {
    names = [];
    list.hidden = true;
    list.replaceChildren();
    words.removeAttribute("aria-activedescendant");
  };

  const offer = () => {
    const start = begun()?.toLocaleLowerCase();
    if (start === undefined) return close();
    const fitting = people().filter((person) => texts.called(person).toLocaleLowerCase().startsWith(start)).slice(0, MOST);
    names = fitting.map((person) => texts.called(person));
    if (names.length === 0 || names.some((name) => name.toLocaleLowerCase() === start)) return close();
    chosen = 0;
    list.replaceChildren(...fitting.map((person, nth) => row(person, nth)));
    list.hidden = false;
    mark();
  };

  const mark = () => {
    for (const [nth, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(nth === chosen));
      if (nth === chosen) words.setAttribute("aria-activedescendant", option.id);
    }
  };

  /**
   * @param {Person} person
   * @param {number} nth
   */
  const row = (person, nth) => {
    const option = copyOf("mention");
    option.id = `mention-${nth}`;
    paint(need(option, "[data-color]", HTMLElement), person.color);
    need(option, "[data-name]", HTMLElement).textContent = texts.called(person);
    option.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // The words keep the focus.
      chosen = nth;
      choose();
    });
    return option;
  };

  const choose = () => {
    const [name, start] = [names[chosen], begun()];
    close();
    if (name === undefined || start === null) return;
    words.setRangeText(`${name} `, words.selectionStart - start.length, words.selectionStart, "end");
    words.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };

  words.addEventListener("input", offer);
  words.addEventListener("click", offer);
  words.addEventListener("blur", close);
  words.addEventListener(
    "keydown",
    (event) => {
      if (list.hidden || event.isComposing || event.shiftKey) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        chosen = (chosen + step + names.length) % names.length;
        mark();
      } else if (event.key === "Enter" || event.key === "Tab") {
        choose();
      } else if (event.key === "Escape") {
        close();
      } else {
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
}

// Autocomplete for mentions: after an `@`, it lists the people in the room whose names start with the typed text.

import { copyOf, need, paint } from "../../dom.js";

/** @typedef {import("../../texts.js").Texts} Texts */
/** @typedef {import("../../api.js").Person} Person */

/** Maximum number of suggestions. */
const MOST = 6;
/** Matches an `@` at the start of a word and the part of a name after it. */
const BEGUN = /(?:^|\s)@(?<begun>[^\s@](?:[^@\n]{0,18})?)?$/u;

/**
 * Suggests names while the user types one. While the list is open, its keys do not reach the composer.
 * @param {Texts} texts
 * @param {() => Person[]} people The people who can be mentioned.
 */
export function offerMentions(texts, people) {
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
    const fitting = people()
      .filter((person) => texts.called(person).toLocaleLowerCase().startsWith(start))
      .slice(0, MOST);
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
      event.preventDefault(); // The text field keeps the focus.
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

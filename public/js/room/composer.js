// Where you write.

import { need } from "../dom.js";

/** @typedef {import("../texts.js").Texts} Texts */

/** The longest message, in characters (Unicode scalar values). */
const LONGEST = 2_000;
/** From here on it helps to know how many are left. */
const NEARLY = 200;
/** What browsers give as the key of an event that belongs to an input method. */
const IME_KEY_CODE = 229;

export class Composer {
  #texts;
  #post;
  #draft;
  #form = need(document, "[data-composer]", HTMLFormElement);
  #words = need(this.#form, "[data-words]", HTMLTextAreaElement);
  #count = need(document, "[data-count]", HTMLElement);
  #problem = need(document, "[data-composer-problem]", HTMLElement);

  /**
   * @param {Texts} texts
   * @param {string} room
   * @param {(chat: string) => void} post
   */
  constructor(texts, room, post) {
    this.#texts = texts;
    this.#post = post;
    this.#draft = `huechat:draft:${room}`;
    this.#words.value = sessionStorage.getItem(this.#draft) ?? this.#words.value;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#words.addEventListener("keydown", (event) => this.#keydown(event));
    this.#words.addEventListener("input", () => this.#changed());
    this.#changed();
    const keys = matchMedia("(hover: hover)").matches; // On a phone the keyboard would cover the room.
    if (keys && document.activeElement === document.body) this.#words.focus();
  }

  /** @param {string} words What went wrong. */
  say(words) {
    this.#problem.textContent = words;
  }

  /** The room is over: what was written can still be read and copied. */
  close() {
    this.#words.readOnly = true;
    for (const button of this.#form.querySelectorAll("button")) button.disabled = true;
  }

  forget() {
    sessionStorage.removeItem(this.#draft);
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    // Enter in the middle of a composition chooses a word. Safari ends the composition first, but keeps the code.
    const composing = event.isComposing || event.keyCode === IME_KEY_CODE;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    const chat = this.#words.value.trimEnd();
    if (chat.trim() === "" || this.#words.readOnly) return;
    if (lengthOf(chat) > LONGEST) return this.say(this.#texts.error("too_long"));
    this.#post(chat);
    this.#words.value = "";
    this.#changed();
    this.#words.focus();
  }

  #changed() {
    const { value } = this.#words;
    if (value === "") sessionStorage.removeItem(this.#draft);
    else sessionStorage.setItem(this.#draft, value);
    this.say("");
    this.#showCount(LONGEST - lengthOf(value.trimEnd()));
    this.#grow();
  }

  /** @param {number} left */
  #showCount(left) {
    this.#count.hidden = left > NEARLY;
    this.#count.toggleAttribute("data-over", left < 0);
    this.#count.textContent =
      left < 0 ? this.#texts.text("characters-over", { count: -left }) : this.#texts.text("characters-left", { count: left });
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return; // The style sheet does it.
    this.#words.style.height = "auto";
    this.#words.style.height = `${this.#words.scrollHeight}px`;
  }
}

/** @param {string} text */
function lengthOf(text) {
  return [...text].length;
}

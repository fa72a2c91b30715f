// Where you write: to everybody, or to one person.

import { need, paint } from "../dom.js";

/** @typedef {import("../wire.js").Person} Person */
/** @typedef {import("../texts.js").Texts} Texts */

/**
 * @typedef {object} Ways
 * @property {(chat: string, to?: Person) => void} post
 * @property {(typing: boolean) => void} typing
 * @property {(words: string) => { person: Person, rest: string } | null} addressed Whom words are for that begin with a name.
 */

/** What begins a whisper. */
const WHISPER = /^\/w\s+/u;

/** The longest message, in characters (Unicode scalar values). */
const LONGEST = 2_000;
/** From here on it helps to know how many are left. */
const NEARLY = 200;
/** What browsers give as the key of an event that belongs to an input method. */
const IME_KEY_CODE = 229;

/** White space, and characters that only join others or turn them around: as the server judges it. */
const SHOWS_NOTHING = /^[\s\p{Default_Ignorable_Code_Point}\u2800]*$/u;

export class Composer {
  #texts;
  #ways;
  #draft;
  /** Whom the words are for, if not for everybody. @type {Person | null} */
  #to = null;
  #form = need(document, "[data-composer]", HTMLFormElement);
  #words = need(this.#form, "[data-words]", HTMLTextAreaElement);
  #count = need(document, "[data-count]", HTMLElement);
  #problem = need(document, "[data-composer-problem]", HTMLElement);
  #whisper = need(document, "[data-whispering]", HTMLElement);

  /**
   * @param {Texts} texts
   * @param {string} room
   * @param {Ways} ways
   */
  constructor(texts, room, ways) {
    this.#texts = texts;
    this.#ways = ways;
    this.#draft = `huechat:draft:${room}`;
    this.#words.value = sessionStorage.getItem(this.#draft) ?? this.#words.value;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#words.addEventListener("keydown", (event) => this.#keydown(event));
    this.#words.addEventListener("input", () => {
      this.#changed();
      this.#ways.typing(this.#words.value.trim() !== "" && !this.#to && !WHISPER.test(this.#words.value));
    });
    this.#words.addEventListener("blur", () => this.#ways.typing(false));
    need(this.#whisper, "[data-whispering-end]", HTMLButtonElement).addEventListener("click", () => {
      this.address(null);
      this.#words.focus();
    });
    this.#changed();
    const keys = matchMedia("(hover: hover)").matches; // On a phone the keyboard would cover the room.
    if (keys && document.activeElement === document.body) this.#words.focus();
  }

  /** @param {string} words What went wrong. */
  say(words) {
    this.#problem.textContent = words;
  }

  /** @param {Person | null} person Whom the words are for; everybody without one. */
  address(person) {
    this.#to = person;
    this.#whisper.hidden = !person;
    if (!person) return;
    const name = need(this.#whisper, "[data-whispering-to]", HTMLElement);
    name.textContent = this.#texts.text("whispering-to", { person: this.#texts.person(person) });
    paint(this.#whisper, person.color);
    this.#words.focus();
  }

  /** @param {string} id Somebody who has left. */
  gone(id) {
    if (this.#to?.id !== id) return;
    this.address(null);
    this.say(this.#texts.error("not_here"));
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
    if (event.key === "Escape" && this.#to && !composing) return this.address(null);
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    const chat = this.#words.value.trimEnd();
    if (SHOWS_NOTHING.test(chat) || this.#words.readOnly) return;
    if (lengthOf(chat) > LONGEST) return this.say(this.#texts.error("too_long"));
    if (WHISPER.test(chat)) return this.#whisperTo(chat.replace(WHISPER, ""));
    this.#ways.post(chat, this.#to ?? undefined);
    this.#ways.typing(false);
    this.#words.value = "";
    this.#changed();
    this.#words.focus();
  }

  /**
   * @param {string} words A name, and what to say.
   * @returns {void}
   */
  #whisperTo(words) {
    const found = this.#ways.addressed(words);
    if (!found) return this.say(this.#texts.error("not_here"));
    this.address(found.person);
    this.#words.value = found.rest;
    this.#changed();
    this.#send();
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

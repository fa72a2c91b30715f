// The message field: it sends messages to the room, and whispers to one person.

import { need, paint } from "../../dom.js";

/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../../texts.js").Texts} Texts */
/** @typedef {import("../tab-storage.js").TabStorage} TabStorage */

/**
 * @typedef {object} Callbacks
 * @property {(chat: string, to?: Person) => void} post
 * @property {(typing: boolean) => void} typing
 * @property {(words: string) => { person: Person, rest: string } | null} addressed Finds a name at the start.
 */

/** Prefix of a whisper. */
const WHISPER = /^\/w\s+/u;

/** Maximum length of a message, in characters (Unicode scalar values). */
const LONGEST = 2_000;
/** The composer shows the number of remaining characters from here on. */
const NEARLY = 200;
/** Key code that browsers report for key events of an input method editor (IME). */
const IME_KEY_CODE = 229;

/** Matches text without visible characters: white space, joiners, direction marks. The server uses the same rule. */
const SHOWS_NOTHING = /^[\s\p{Default_Ignorable_Code_Point}\u2800]*$/u;

export class Composer {
  #texts;
  #callbacks;
  #storage;
  /** The recipient of a whisper; null for a message to everybody. @type {Person | null} */
  #to = null;
  #form = need(document, "[data-composer]", HTMLFormElement);
  #words = need(this.#form, "[data-words]", HTMLTextAreaElement);
  #count = need(document, "[data-count]", HTMLElement);
  #problem = need(document, "[data-composer-problem]", HTMLElement);
  #whisper = need(document, "[data-whispering]", HTMLElement);

  /**
   * @param {Texts} texts
   * @param {TabStorage} storage
   * @param {Callbacks} callbacks
   */
  constructor(texts, storage, callbacks) {
    this.#texts = texts;
    this.#callbacks = callbacks;
    this.#storage = storage;
    this.#words.value = storage.keep("draft", () => this.#words.value) || this.#words.value;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#words.addEventListener("keydown", (event) => this.#keydown(event));
    this.#words.addEventListener("input", () => {
      this.#changed();
      this.#callbacks.typing(this.#words.value.trim() !== "" && !this.#to && !WHISPER.test(this.#words.value));
    });
    this.#words.addEventListener("blur", () => this.#callbacks.typing(false));
    need(this.#whisper, "[data-whispering-end]", HTMLButtonElement).addEventListener("click", () => {
      this.address(null);
      this.#words.focus();
    });
    this.#changed();
    const keys = matchMedia("(hover: hover)").matches; // On a phone, the on-screen keyboard would cover the room.
    if (keys && document.activeElement === document.body) this.#words.focus();
  }

  /** @param {string} words The error message to show. */
  say(words) {
    this.#problem.textContent = words;
  }

  /** @param {Person | null} person The recipient of the next message; null for everybody. */
  address(person) {
    this.#to = person;
    this.#whisper.hidden = !person;
    if (!person) return;
    const name = need(this.#whisper, "[data-whispering-to]", HTMLElement);
    name.textContent = this.#texts.text("whispering-to", { person: this.#texts.person(person) });
    paint(this.#whisper, person.color);
    this.#words.focus();
  }

  /** @param {string} id The person who has left. */
  gone(id) {
    if (this.#to?.id !== id) return;
    this.address(null);
    this.say(this.#texts.error("not_here"));
  }

  /** Disables the composer when the room ends. The draft stays readable, so that its author can copy it. */
  close() {
    this.#words.readOnly = true;
    for (const button of this.#form.querySelectorAll("button")) button.disabled = true;
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    // During a composition, Enter selects a candidate. Safari ends it before this event, but keeps the code.
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
    this.#callbacks.post(chat, this.#to ?? undefined);
    this.#callbacks.typing(false);
    this.#words.value = "";
    this.#changed();
    this.#words.focus();
  }

  /**
   * @param {string} words A name, followed by the text.
   * @returns {void}
   */
  #whisperTo(words) {
    const found = this.#callbacks.addressed(words);
    if (!found) return this.say(this.#texts.error("not_here"));
    this.address(found.person);
    this.#words.value = found.rest;
    this.#changed();
    this.#send();
  }

  #changed() {
    const { value } = this.#words;
    this.#storage.update();
    this.say("");
    this.#showCount(LONGEST - lengthOf(value.trimEnd()));
    this.#grow();
  }

  /** @param {number} left */
  #showCount(left) {
    this.#count.hidden = left > NEARLY;
    this.#count.toggleAttribute("data-over", left < 0);
    this.#count.textContent =
      left < 0
        ? this.#texts.text("characters-over", { count: -left })
        : this.#texts.text("characters-left", { count: left });
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return; // The style sheet resizes the field.
    this.#words.style.height = "auto";
    this.#words.style.height = `${this.#words.scrollHeight}px`;
  }
}

/** @param {string} text */
function lengthOf(text) {
  return [...text].length;
}

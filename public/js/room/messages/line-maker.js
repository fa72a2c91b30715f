// Creates the line of a message from the same partials that the server uses to render the history.

import { tellTime } from "../../clock.js";
import { copyOf, need, paint } from "../../dom.js";
import { setText } from "../../links.js";
import { withMentions } from "../../mentions.js";

/** @typedef {import("../../api.js").Chat} Chat */
/** @typedef {import("../../api.js").Gif} Gif */
/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("../../texts.js").Texts} Texts */
/** @typedef {import("../composer/outbox.js").Entry} Entry */

export class LineMaker {
  #texts;
  #me;
  #myColor = document.body.dataset.meColor ?? "";
  #myName = document.body.dataset.meName ?? "";

  /**
   * @param {Texts} texts
   * @param {string} me
   */
  constructor(texts, me) {
    this.#texts = texts;
    this.#me = me;
  }

  get texts() {
    return this.#texts;
  }

  /** @param {Person} me The reader, with their name in this room. */
  call(me) {
    this.#myName = me.name;
  }

  get myName() {
    return this.#myName;
  }

  /** @param {Person} person */
  isMe(person) {
    return person.id === this.#me;
  }

  /** @param {Chat} chat */
  make(chat) {
    const about = chat.system?.person ?? chat.user;
    const line = copyOf(partialFor(chat));
    line.dataset.seq = String(chat.seq);
    line.dataset.person = about.id;
    paint(line, about.color);
    need(line, "time", HTMLTimeElement).dateTime = chat.createdAt;
    if (chat.system) this.#sayWhatHappened(line, chat.system);
    else this.#fillSaying(line, chat);
    tellTime(line);
    return line;
  }

  /**
   * Creates the line of a message by the reader that the server has not confirmed.
   * @param {Entry} entry
   */
  makePending({ clientId, kind, chat, to, at }) {
    const line = copyOf(kind);
    line.dataset.client = clientId;
    line.dataset.person = this.#me;
    line.classList.add("line--mine");
    paint(line, this.#myColor);
    need(line, "[data-author]", HTMLElement).textContent = this.#texts.text("you-as-author");
    need(line, "time", HTMLTimeElement).dateTime = at;
    if (kind === "gif") need(line, "[data-gif]", HTMLElement).replaceChildren();
    else this.#fillWords(line, chat ?? "");
    if (to) this.#sayTo(line, to);
    line.append(copyOf("unsent"));
    tellTime(line);
    return line;
  }

  /**
   * Shows the preview of an unconfirmed GIF in its final size, so that the line does not change its height later.
   * @param {HTMLElement} line
   * @param {{ picture: HTMLElement, width: number, height: number }} preview
   */
  fillPreview(line, { picture, width, height }) {
    const [wide] = fit({ width, height });
    picture.className = "gif__picture";
    picture.style.width = `${wide}px`;
    picture.ariaLabel = this.#texts.text("gif-preview");
    need(line, "[data-gif]", HTMLElement).replaceChildren(picture);
  }

  /**
   * @param {HTMLElement} line
   * @param {{ code: string, person: Person }} system
   */
  #sayWhatHappened(line, { code, person }) {
    const words = this.#texts.text(`system-${code}`, { person: this.#texts.person(person) });
    line.dataset.event = code;
    need(line, "[data-words]", HTMLElement).textContent = words;
  }

  /**
   * @param {HTMLElement} line
   * @param {Chat} chat
   */
  #fillSaying(line, chat) {
    const mine = this.isMe(chat.user);
    line.classList.toggle("line--mine", mine);
    if (mine && chat.clientId) line.dataset.client = chat.clientId;
    const author = mine ? this.#texts.text("you-as-author") : this.#texts.called(chat.user);
    need(line, "[data-author]", HTMLElement).textContent = author;
    need(line, "[data-bot]", HTMLElement).hidden = !chat.user.bot;
    if (chat.gif) this.#fillGif(line, chat.gif, chat.user);
    else if (chat.chat !== undefined) this.#fillWords(line, chat.chat);
    if (chat.to && chat.chat !== undefined) this.#sayTo(line, chat.to);
  }

  /**
   * @param {HTMLElement} line
   * @param {string} words
   */
  #fillWords(line, words) {
    setText(need(line, "[data-words]", HTMLElement), words, (text) => withMentions(text, this.#texts, this.#myName));
  }

  /**
   * @param {HTMLElement} line
   * @param {Person} person
   */
  #sayTo(line, person) {
    const words = this.#texts.text("whisper-to", { person: this.#texts.person(person) });
    need(line, "[data-whisper]", HTMLElement).textContent = words;
  }

  /**
   * @param {HTMLElement} line
   * @param {Gif} gif
   * @param {Person} by
   */
  #fillGif(line, gif, by) {
    const frame = need(line, "[data-gif]", HTMLElement);
    const picture = need(frame, "img", HTMLImageElement);
    frame.dataset.moving = String(gif.frames > 1);
    picture.dataset.poster = gif.poster;
    picture.dataset.file = gif.url;
    [picture.width, picture.height] = fit(gif);
    picture.alt = this.#texts.text("gif-alt", { person: this.#texts.person(by) });
    picture.src = gif.poster;
  }
}

/**
 * Returns the display size of a GIF: its own size, reduced to the maximum. The server uses the same formula.
 * @param {Pick<Gif, "width" | "height">} size
 * @returns {[number, number]}
 */
function fit({ width, height }) {
  const [mostWide, mostHigh] = [Math.min(352, width), Math.min(320, height)];
  const high = Math.max(1, Math.floor((mostWide * height) / width));
  if (high <= mostHigh) return [mostWide, high];
  return [Math.max(1, Math.floor((mostHigh * width) / height)), mostHigh];
}

/** @param {Chat} chat */
function partialFor({ kind, chat, gif }) {
  const deleted = kind !== "system" && chat === undefined && gif === undefined;
  return deleted ? "deleted" : kind;
}

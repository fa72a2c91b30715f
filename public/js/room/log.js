// The conversation: lines in the order of `seq`, and below them what waits to be sent.

import { copyOf, need } from "../dom.js";
import { tellTime } from "../clock.js";
import { Folding } from "./folding.js";

/** @typedef {import("../wire.js").Chat} Chat */
/** @typedef {import("../wire.js").Person} Person */
/** @typedef {import("./line-maker.js").LineMaker} LineMaker */
/** @typedef {import("./scroll.js").Scroll} Scroll */

/** Somebody who speaks again within this is not named again. The server uses the same time. */
const SAME_BREATH_MS = 5 * 60_000;
/** Kinds of lines that can continue one another. */
const SAYINGS = ["chat", "gif", "deleted"];

export class Log {
  #lines;
  #scroll;
  #folding;
  #list = need(document, "[data-lines]", HTMLElement);

  /**
   * @param {LineMaker} lines
   * @param {Scroll} scroll
   */
  constructor(lines, scroll) {
    this.#lines = lines;
    this.#scroll = scroll;
    this.#folding = new Folding(lines.texts);
    scroll.keep(() => this.#folding.foldAll(this.#list));
    tellTime(this.#list);
  }

  get seqs() {
    return [...this.#list.children].filter(hasPlace).map(seqOf);
  }

  /** What my own lines were called when they were sent. */
  get clientIds() {
    return [...this.#list.querySelectorAll("[data-client]")].map((line) => line.getAttribute("data-client") ?? "");
  }

  get oldest() {
    return this.#list.firstElementChild ? seqOf(this.#list.firstElementChild) : Infinity;
  }

  /**
   * Shows messages, in their places. Those of mine that waited give way to them.
   * @param {Chat[]} chats
   * @returns {string[]} What those of mine were called.
   */
  show(chats) {
    const settled = /** @type {string[]} */ ([]);
    let byOthers = 0;
    this.#scroll.keep(() => {
      const newest = this.#newest;
      for (const chat of chats) {
        const mine = this.#lines.isMe(chat.user);
        if (mine && chat.clientId) {
          this.unsent(chat.clientId)?.remove();
          settled.push(chat.clientId);
        }
        if (!mine && chat.seq > newest && chat.kind !== "system") byOthers += 1;
        this.#insert(this.#lines.make(chat), chat.seq);
      }
    });
    this.#scroll.note(byOthers);
    return settled;
  }

  /**
   * A message of mine that has no place yet comes last.
   * @param {HTMLElement} line
   */
  append(line) {
    this.#scroll.keep(() => {
      this.#list.append(line);
      group(line);
    });
  }

  /**
   * The line of a message of mine that has no place yet.
   * @param {string} clientId
   */
  unsent(clientId) {
    for (let line = this.#list.lastElementChild; line && !hasPlace(line); line = line.previousElementSibling) {
      if (line instanceof HTMLElement && line.dataset.client === clientId) return line;
    }
    return null;
  }

  /**
   * Changes lines without moving those that the reader looks at.
   * @param {() => void} change
   */
  keep(change) {
    this.#scroll.keep(change);
  }

  /**
   * Empties a message that was deleted.
   * @param {number} seq
   */
  empty(seq) {
    const line = this.#list.querySelector(`[data-seq="${seq}"]`);
    if (!(line instanceof HTMLElement) || line.dataset.kind === "deleted") return;
    const words = need(copyOf("deleted"), ".line__deleted", HTMLElement);
    this.#scroll.keep(() => {
      for (const part of line.querySelectorAll(".line__text, .gif")) part.remove();
      line.append(words);
      line.dataset.kind = "deleted";
    });
  }

  get #newest() {
    let line = this.#list.lastElementChild;
    while (line && !hasPlace(line)) line = line.previousElementSibling;
    return line ? seqOf(line) : 0;
  }

  /**
   * @param {HTMLElement} line
   * @param {number} seq
   */
  #insert(line, seq) {
    const first = this.#list.firstElementChild;
    if (first && seq < seqOf(first)) {
      first.before(line);
    } else {
      let before = this.#list.lastElementChild;
      while (before && seqOf(before) > seq) before = before.previousElementSibling;
      if (before) before.after(line);
      else this.#list.prepend(line);
    }
    group(line);
    group(line.nextElementSibling);
    this.#folding.around(line);
  }
}

/**
 * Those that wait to be sent come after all that have a place.
 * @param {Element} line
 */
function seqOf(line) {
  return Number(line.getAttribute("data-seq") ?? Infinity);
}

/** @param {Element} line */
function hasPlace(line) {
  return line.hasAttribute("data-seq");
}

/**
 * Leaves out the name and the time where they go without saying.
 * @param {Element | null} line
 */
function group(line) {
  const before = line?.previousElementSibling;
  line?.classList.toggle("line--continued", Boolean(before && continues(before, line)));
}

/**
 * @param {Element} before
 * @param {Element} line
 */
function continues(before, line) {
  const said = [before, line].every((each) => SAYINGS.includes(each.getAttribute("data-kind") ?? ""));
  const same = before.getAttribute("data-person") === line.getAttribute("data-person");
  return said && same && momentOf(line) - momentOf(before) <= SAME_BREATH_MS;
}

/** @param {Element} line */
function momentOf(line) {
  return Date.parse(need(line, "time", HTMLTimeElement).dateTime);
}

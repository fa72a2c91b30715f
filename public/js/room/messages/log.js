// The message log: confirmed lines in the order of `seq`, and below them the pending lines.

import { copyOf, need } from "../../dom.js";
import { tellTime } from "../../clock.js";
import { Collapse } from "./collapse.js";

/** @typedef {import("../../api.js").Chat} Chat */
/** @typedef {import("../../api.js").Person} Person */
/** @typedef {import("./line-maker.js").LineMaker} LineMaker */
/** @typedef {import("./scroll.js").Scroll} Scroll */

/** The log omits the name of an author who writes again within this time. The server uses the same limit. */
const SAME_BREATH_MS = 5 * 60_000;
/** Kinds of lines that the log groups under one name. */
const SAYINGS = ["chat", "gif", "deleted"];

export class Log {
  #lines;
  #scroll;
  #collapse;
  #list = need(document, "[data-lines]", HTMLElement);

  /**
   * @param {LineMaker} lines
   * @param {Scroll} scroll
   */
  constructor(lines, scroll) {
    this.#lines = lines;
    this.#scroll = scroll;
    this.#collapse = new Collapse(lines.texts);
    scroll.keep(() => this.#collapse.collapseAll(this.#list));
    tellTime(this.#list);
  }

  get seqs() {
    return [...this.#list.children].filter(hasSeq).map(seqOf);
  }

  /** The client ids of the reader's own lines. */
  get clientIds() {
    return [...this.#list.querySelectorAll("[data-client]")].map((line) => line.getAttribute("data-client") ?? "");
  }

  get oldest() {
    return this.#list.firstElementChild ? seqOf(this.#list.firstElementChild) : Infinity;
  }

  /**
   * Inserts messages in the order of `seq`. A confirmed message replaces its pending line.
   * @param {Chat[]} chats
   * @returns {string[]} The client ids of the reader's own messages.
   */
  show(chats) {
    const settled = /** @type {string[]} */ ([]);
    let byOthers = 0;
    this.#scroll.keep(() => {
      const newest = this.#newest;
      for (const chat of chats) {
        const mine = this.#lines.isMe(chat.user);
        if (mine && chat.clientId) {
          this.pending(chat.clientId)?.remove();
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
   * Appends a pending line.
   * @param {HTMLElement} line
   */
  append(line) {
    this.#scroll.keep(() => {
      this.#list.append(line);
      group(line);
    });
  }

  /**
   * Finds the pending line of a message.
   * @param {string} clientId
   */
  pending(clientId) {
    for (let line = this.#list.lastElementChild; line && !hasSeq(line); line = line.previousElementSibling) {
      if (line instanceof HTMLElement && line.dataset.client === clientId) return line;
    }
    return null;
  }

  /**
   * Applies a change without moving the lines in view.
   * @param {() => void} change
   */
  keep(change) {
    this.#scroll.keep(change);
  }

  /**
   * Replaces the content of a deleted message.
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
    while (line && !hasSeq(line)) line = line.previousElementSibling;
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
    this.#collapse.around(line);
  }
}

/**
 * Returns the sequence number of a line. Pending lines have none and sort last.
 * @param {Element} line
 */
function seqOf(line) {
  return Number(line.getAttribute("data-seq") ?? Infinity);
}

/** @param {Element} line */
function hasSeq(line) {
  return line.hasAttribute("data-seq");
}

/**
 * Hides the name and the time of a line that continues the line before it.
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

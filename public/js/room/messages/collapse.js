// Collapses a run of consecutive join and leave lines into one line that the reader can expand.

import { copyOf, need } from "../../dom.js";

/** @typedef {import("../../texts.js").Texts} Texts */

const MOVEMENTS = ["joined", "left"];

export class Collapse {
  #texts;

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
  }

  /**
   * Collapses every run in a list.
   * @param {Element} list
   */
  collapseAll(list) {
    for (const line of list.children) {
      if (isMovement(line) && !isMovement(line.previousElementSibling)) this.collapse(line);
    }
  }

  /**
   * Collapses the runs on both sides of a new line.
   * @param {HTMLElement} line
   */
  around(line) {
    if (isMovement(line)) return this.collapse(line);
    for (const beside of [line.previousElementSibling, line.nextElementSibling]) {
      if (beside && isMovement(beside)) this.collapse(beside);
    }
  }

  /** @param {Element} line A line of the run. */
  collapse(line) {
    const lines = runOf(line);
    const open = lines.some((each) => each.querySelector('[aria-expanded="true"]'));
    for (const each of lines) {
      each.querySelector(".line__collapse")?.remove();
      setShown(each, true);
    }
    const last = lines.at(-1);
    if (lines.length < 2 || !last) return;
    const button = copyOf("collapse");
    button.textContent = this.#summary(lines);
    need(last, ".line__event", HTMLElement).append(button);
    const show = (/** @type {boolean} */ all) => {
      button.ariaExpanded = String(all);
      for (const each of lines) setShown(each, all);
    };
    button.addEventListener("click", () => show(button.ariaExpanded !== "true"));
    show(open);
  }

  /** @param {HTMLElement[]} lines */
  #summary(lines) {
    const left = lines.filter(({ dataset }) => dataset.event === "left").length;
    const joined = lines.length - left;
    if (left === 0) return this.#texts.text("folded-joined", { joined });
    return joined === 0 ? this.#texts.text("folded-left", { left }) : this.#texts.text("folded-both", { joined, left });
  }
}

/**
 * Shows or hides a line. The line with the button stays visible without its own text.
 * @param {HTMLElement} line
 * @param {boolean} shown
 */
function setShown(line, shown) {
  const button = line.querySelector(".line__collapse");
  line.hidden = !shown && !button;
  line.classList.toggle("line--collapsed", !shown && button !== null);
}

/**
 * Returns the run of consecutive lines that contains this line.
 * @param {Element} line
 */
function runOf(line) {
  let first = line;
  while (first.previousElementSibling && isMovement(first.previousElementSibling)) first = first.previousElementSibling;
  /** @type {HTMLElement[]} */
  const lines = [];
  for (let next = /** @type {Element | null} */ (first); next && isMovement(next); next = next.nextElementSibling) {
    if (next instanceof HTMLElement) lines.push(next);
  }
  return lines;
}

/** @param {Element | null} line */
function isMovement(line) {
  return MOVEMENTS.includes(line?.getAttribute("data-event") ?? "");
}

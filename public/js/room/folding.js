// People who come and go, one after another, told in one line that opens.

import { copyOf, need } from "../dom.js";

/** @typedef {import("../texts.js").Texts} Texts */

const MOVEMENTS = ["joined", "left"];

export class Folding {
  #texts;

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
  }

  /**
   * Folds whatever follows one another in a list.
   * @param {Element} list
   */
  foldAll(list) {
    for (const line of list.children) {
      if (isMovement(line) && !isMovement(line.previousElementSibling)) this.fold(line);
    }
  }

  /**
   * Folds the lines that a new one stands among, on both of its sides.
   * @param {HTMLElement} line
   */
  around(line) {
    if (isMovement(line)) return this.fold(line);
    for (const beside of [line.previousElementSibling, line.nextElementSibling]) {
      if (beside && isMovement(beside)) this.fold(beside);
    }
  }

  /** @param {Element} line One of those that follow one another. */
  fold(line) {
    const lines = runOf(line);
    const open = lines.some((each) => each.querySelector('[aria-expanded="true"]'));
    for (const each of lines) {
      each.querySelector(".line__fold")?.remove();
      setShown(each, true);
    }
    const last = lines.at(-1);
    if (lines.length < 2 || !last) return;
    const button = copyOf("fold");
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
 * What happened is shown, or only the button that stands for it.
 * @param {HTMLElement} line
 * @param {boolean} shown
 */
function setShown(line, shown) {
  const button = line.querySelector(".line__fold");
  line.hidden = !shown && !button;
  line.classList.toggle("line--folded", !shown && button !== null);
}

/**
 * All that follow one another with this one.
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

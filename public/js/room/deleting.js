// Deleting what was said: mine, and as the host anybody's.

import { copyOf, need } from "../dom.js";

/**
 * @typedef {object} Ways
 * @property {string} me
 * @property {() => boolean} isHost Whether I own the room.
 * @property {(seq: number) => Promise<unknown>} remove
 * @property {(error: unknown) => void} failed
 */

/** Lines that hold something to delete. */
const SAYINGS = ["chat", "gif", "whisper"];

/**
 * Offers the button on the line that is pointed at or has the focus, so that thousands of lines need none. By the
 * keyboard, up from an empty composer leads to the lines, up and down from one to the next, and Escape back.
 * @param {Ways} ways
 */
export function offerDeleting({ me, isHost, remove, failed }) {
  const list = need(document, "[data-lines]", HTMLElement);
  const dialog = need(document, "[data-delete-dialog]", HTMLDialogElement);
  const button = copyOf("delete");
  let seq = 0;

  /** @param {Event} event */
  const offer = ({ target }) => {
    const line = target instanceof Element ? target.closest("[data-seq]") : null;
    if (!(line instanceof HTMLElement) || line === button.parentElement) return;
    if (!list.contains(line) || !mayDelete(line)) return button.remove();
    line.append(button);
  };
  /** @param {HTMLElement} line */
  const mayDelete = ({ dataset: { kind = "", person } }) =>
    SAYINGS.includes(kind) && (person === me || (isHost() && kind !== "whisper"));

  const composer = need(document, "[data-composer] [data-words]", HTMLTextAreaElement);
  const deletable = () => [...list.children].filter((line) => line instanceof HTMLElement && !line.hidden && mayDelete(line));
  /** @param {Element | undefined} line */
  const focus = (line) => {
    if (!(line instanceof HTMLElement)) return;
    line.tabIndex = -1;
    line.focus();
  };
  composer.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" || event.isComposing || composer.value !== "") return;
    event.preventDefault();
    focus(deletable().at(-1));
  });
  list.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return composer.focus();
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const line = event.target instanceof Element ? event.target.closest("[data-seq]") : null;
    if (!step || !line) return;
    event.preventDefault();
    const lines = deletable();
    const next = lines[lines.indexOf(line) + step];
    if (next) focus(next);
    else if (step > 0) composer.focus();
  });

  for (const type of ["pointerover", "focusin", "click"]) list.addEventListener(type, offer);
  button.addEventListener("click", () => {
    seq = Number(button.parentElement?.dataset.seq);
    dialog.showModal();
  });
  need(dialog, "[data-delete-cancel]", HTMLButtonElement).addEventListener("click", () => dialog.close());
  need(dialog, "form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    button.remove();
    remove(seq).catch(failed);
  });
}

// Tools of a line: authors delete their own messages, the host deletes any message, and readers report those of others.

import { copyOf, need } from "../../dom.js";

/**
 * @typedef {object} Callbacks
 * @property {string} me
 * @property {() => boolean} isHost Whether the reader is the host.
 * @property {(seq: number) => Promise<unknown>} remove
 * @property {(seq: number) => void} report
 * @property {(error: unknown) => void} failed
 */

/** Kinds of lines that hold a message of a person. */
const SAYINGS = ["chat", "gif", "whisper"];

/**
 * Moves one button to the line under the pointer or with the focus, so that thousands of lines need no own button.
 * On the keyboard, Up in an empty composer focuses the last line, Up and Down move between lines, and Escape returns.
 * @param {Callbacks} callbacks
 */
export function offerTools({ me, isHost, remove, report, failed }) {
  const list = need(document, "[data-lines]", HTMLElement);
  const dialog = need(document, "[data-delete-dialog]", HTMLDialogElement);
  const [deleting, reporting] = [copyOf("delete"), copyOf("report")];
  let seq = 0;

  /** @param {Event} event */
  const offer = ({ target }) => {
    const line = target instanceof Element ? target.closest("[data-seq]") : null;
    if (!(line instanceof HTMLElement) || !list.contains(line)) return;
    const tool = mayDelete(line) ? deleting : mayReport(line) ? reporting : null;
    for (const each of [deleting, reporting]) if (each !== tool) each.remove();
    if (tool && tool.parentElement !== line) line.append(tool);
  };
  /** @param {HTMLElement} line */
  const mayDelete = ({ dataset: { kind = "", person } }) =>
    SAYINGS.includes(kind) && (person === me || (isHost() && kind !== "whisper"));

  /** @param {HTMLElement} line */
  const mayReport = ({ dataset: { kind = "", person, seq } }) =>
    SAYINGS.includes(kind) && person !== me && seq !== undefined;

  const composer = need(document, "[data-composer] [data-words]", HTMLTextAreaElement);
  const withTools = () =>
    [...list.children].filter(
      (line) => line instanceof HTMLElement && !line.hidden && (mayDelete(line) || mayReport(line)),
    );
  /** @param {Element | undefined} line */
  const focus = (line) => {
    if (!(line instanceof HTMLElement)) return;
    line.tabIndex = -1;
    line.focus();
  };
  composer.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" || event.isComposing || composer.value !== "") return;
    event.preventDefault();
    focus(withTools().at(-1));
  });
  list.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return composer.focus();
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const line = event.target instanceof Element ? event.target.closest("[data-seq]") : null;
    if (!step || !line) return;
    event.preventDefault();
    const lines = withTools();
    const next = lines[lines.indexOf(line) + step];
    if (next) focus(next);
    else if (step > 0) composer.focus();
  });

  for (const type of ["pointerover", "focusin", "click"]) list.addEventListener(type, offer);
  deleting.addEventListener("click", () => {
    seq = Number(deleting.parentElement?.dataset.seq);
    dialog.showModal();
  });
  reporting.addEventListener("click", () => report(Number(reporting.parentElement?.dataset.seq)));
  need(dialog, "[data-delete-cancel]", HTMLButtonElement).addEventListener("click", () => dialog.close());
  need(dialog, "form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    deleting.remove();
    remove(seq).catch(failed);
  });
}

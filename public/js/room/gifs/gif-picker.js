// Accepts a GIF from the file dialog, the clipboard, or drag and drop.

import { need } from "../../dom.js";

/**
 * @typedef {object} Callbacks
 * @property {(file: File) => void} chosen
 * @property {(code: string) => void} refused
 */

/** @param {Callbacks} callbacks */
export function pickGifs(callbacks) {
  const field = need(document, "[data-gif-file]", HTMLInputElement);
  need(document, "[data-choose-gif]", HTMLButtonElement).addEventListener("click", () => field.click());
  field.addEventListener("change", () => {
    void offer(field.files?.[0], callbacks);
    field.value = ""; // Lets the reader select the same file again.
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    const words = event.clipboardData?.types.includes("text/plain");
    if (!file || words) return; // Some editors copy text together with an image of it.
    event.preventDefault();
    void offer(file, callbacks);
  });
  acceptDrops(need(document, "[data-drop]", HTMLElement), callbacks);
}

/**
 * @param {HTMLElement} area
 * @param {Callbacks} callbacks
 */
function acceptDrops(area, callbacks) {
  const over = (/** @type {boolean} */ on) => area.toggleAttribute("data-dropping", on);
  area.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  area.addEventListener("dragleave", (event) => {
    if (!(event.relatedTarget instanceof Node && area.contains(event.relatedTarget))) over(false);
  });
  area.addEventListener("drop", (event) => {
    over(false);
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    void offer(file, callbacks);
  });
}

/**
 * Checks the first six bytes for the GIF signature, because the name and the type of a file can be wrong.
 * @param {File | undefined} file
 * @param {Callbacks} callbacks
 */
async function offer(file, { chosen, refused }) {
  if (!file) return;
  const start = await file.slice(0, 6).text();
  if (start === "GIF87a" || start === "GIF89a") chosen(file);
  else refused("not_a_gif");
}

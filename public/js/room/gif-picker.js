// Three ways to bring a GIF: choose it, paste it, or drop it.

import { need } from "../dom.js";

/**
 * @typedef {object} Ways
 * @property {(file: File) => void} chosen
 * @property {(code: string) => void} refused
 */

/** @param {Ways} ways */
export function pickGifs(ways) {
  const field = need(document, "[data-gif-file]", HTMLInputElement);
  need(document, "[data-choose-gif]", HTMLButtonElement).addEventListener("click", () => field.click());
  field.addEventListener("change", () => {
    void offer(field.files?.[0], ways);
    field.value = ""; // The same file can be chosen again.
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    const words = event.clipboardData?.types.includes("text/plain");
    if (!file || words) return; // Words copied from some editors come with a picture of them.
    event.preventDefault();
    void offer(file, ways);
  });
  acceptDrops(need(document, "[data-drop]", HTMLElement), ways);
}

/**
 * @param {HTMLElement} area
 * @param {Ways} ways
 */
function acceptDrops(area, ways) {
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
    void offer(file, ways);
  });
}

/**
 * A file's name and type say little: its first six bytes say whether it is a GIF.
 * @param {File | undefined} file
 * @param {Ways} ways
 */
async function offer(file, { chosen, refused }) {
  if (!file) return;
  const start = await file.slice(0, 6).text();
  if (start === "GIF87a" || start === "GIF89a") chosen(file);
  else refused("not_a_gif");
}

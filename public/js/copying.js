// Copying what stands in a field, by the button beside it.

import { need } from "./dom.js";

/** @typedef {import("./texts.js").Texts} Texts */

/** Long enough to be read. */
export const SHOWN_MS = 2_500;

/** @param {Texts} texts */
export function offerCopies(texts) {
  const said = need(document, "[data-said]", HTMLElement);
  for (const button of document.querySelectorAll("[data-copy]")) {
    const value = need(button.parentElement ?? document, "[data-copied-value]", HTMLInputElement);
    const label = need(button, "[data-copy-words]", HTMLElement);
    value.addEventListener("focus", () => value.select());
    button.addEventListener("click", async () => {
      const copied = await copy(value);
      const words = texts.text(copied ? "copied" : "link-not-copied");
      said.textContent = words;
      label.textContent = words;
      setTimeout(() => {
        said.textContent = "";
        label.textContent = texts.text("copy");
      }, SHOWN_MS);
    });
  }
}

/**
 * Whether it is in the clipboard; else it is ready to be copied by hand.
 * @param {HTMLInputElement} field
 */
export async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select(); // Without https there is no clipboard.
    return false;
  }
}

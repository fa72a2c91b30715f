// Buttons that copy the value of the field beside them.

import { need } from "./dom.js";

/** @typedef {import("./texts.js").Texts} Texts */

/** Time for which a button shows the result. */
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
 * Copies the value of a field and returns whether that succeeded. Otherwise it selects the value for manual copying.
 * @param {HTMLInputElement} field
 */
export async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select(); // Browsers offer no clipboard without HTTPS.
    return false;
  }
}

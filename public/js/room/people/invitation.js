// Buttons that copy the link to the room.

import { SHOWN_MS, copy } from "../../clipboard.js";
import { need } from "../../dom.js";

/** @typedef {import("../../texts.js").Texts} Texts */

/** @param {Texts} texts */
export function offerLink(texts) {
  const link = need(document, "[data-link]", HTMLInputElement);
  const said = need(document, "[data-said]", HTMLElement);
  link.value = location.origin + location.pathname; // The address that brought the reader here works for others.
  link.addEventListener("focus", () => link.select());
  for (const button of document.querySelectorAll("[data-copy-link]")) {
    button.addEventListener("click", async () => {
      const copied = await copy(link);
      const words = texts.text(copied ? "link-copied" : "link-not-copied");
      said.textContent = words;
      const label = need(button, "[data-copy-words]", HTMLElement);
      label.textContent = words;
      button.toggleAttribute("data-copied", copied);
      setTimeout(() => {
        said.textContent = "";
        label.textContent = texts.text("copy-link");
        button.removeAttribute("data-copied");
      }, SHOWN_MS);
    });
  }
}

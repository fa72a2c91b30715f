// Plays and stops GIFs. The page shows the poster of a GIF until the reader plays it.

import { need } from "../../dom.js";

/** One listener serves all lines, also those that come later. */
export function playGifs() {
  need(document, "[data-log]", HTMLElement).addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("[data-gif-button]") : null;
    if (button instanceof HTMLButtonElement) toggle(button);
  });
}

/** @param {HTMLButtonElement} button */
function toggle(button) {
  const picture = button.closest("[data-gif]")?.querySelector("img");
  if (!picture) return; // The message was deleted meanwhile.
  const plays = button.ariaPressed !== "true";
  button.ariaPressed = String(plays);
  picture.src = (plays ? picture.dataset.file : picture.dataset.poster) ?? "";
}

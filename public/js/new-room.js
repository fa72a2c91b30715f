// The form for a new room: takes the visitor to what is wrong, and sends once.

import { need } from "./dom.js";

const form = need(document, "[data-new-room]", HTMLFormElement);
const button = need(form, 'button[type="submit"]', HTMLButtonElement);
const wrong = form.querySelector('[aria-invalid="true"]');

if (wrong instanceof HTMLInputElement) wrong.focus();
form.addEventListener("submit", () => (button.disabled = true));
window.addEventListener("pageshow", () => (button.disabled = false)); // Back from the room.

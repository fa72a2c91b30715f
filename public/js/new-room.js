// Form for a new room: it focuses the first invalid field, and prevents a second submission.

import { need } from "./dom.js";

const form = need(document, "[data-new-room]", HTMLFormElement);
const button = need(form, 'button[type="submit"]', HTMLButtonElement);
const wrong = form.querySelector('[aria-invalid="true"]');

if (wrong instanceof HTMLInputElement) wrong.focus();
form.addEventListener("submit", () => (button.disabled = true));
window.addEventListener("pageshow", () => (button.disabled = false)); // The visitor has returned from the room.

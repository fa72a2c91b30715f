// The page of a visitor's bots: copies a token, takes the visitor to what is new or wrong, and sends once.

import { tellTime } from "./clock.js";
import { offerCopies } from "./copying.js";
import { need } from "./dom.js";
import { Texts } from "./texts.js";

const form = need(document, "[data-token-form]", HTMLFormElement);
const button = need(form, 'button[type="submit"]', HTMLButtonElement);
const first = document.querySelector("[data-made]") ?? form.querySelector('[aria-invalid="true"]');

if (first instanceof HTMLElement) first.focus();
form.addEventListener("submit", () => (button.disabled = true));
window.addEventListener("pageshow", () => (button.disabled = false)); // Back from elsewhere.
tellTime(document);
offerCopies(await Texts.load());

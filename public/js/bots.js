// Page of the visitor's bots: copies tokens, focuses a new token or an invalid field, and prevents a second submission.

import { tellTime } from "./clock.js";
import { offerCopies } from "./clipboard.js";
import { need } from "./dom.js";
import { Texts } from "./texts.js";

const form = need(document, "[data-token-form]", HTMLFormElement);
const button = need(form, 'button[type="submit"]', HTMLButtonElement);
const first = document.querySelector("[data-made]") ?? form.querySelector('[aria-invalid="true"]');

if (first instanceof HTMLElement) first.focus();
form.addEventListener("submit", () => (button.disabled = true));
window.addEventListener("pageshow", () => (button.disabled = false)); // The visitor has returned from another page.
tellTime(document);
offerCopies(await Texts.load());

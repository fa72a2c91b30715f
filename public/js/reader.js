// Form for the reader's language and theme. The server keeps the choice in the session, so that every page uses it.

import { need } from "./dom.js";
import { codeOf, fetchJson } from "./api.js";

/** @typedef {import("./texts.js").Texts} Texts */

/**
 * @param {Texts} texts
 * @param {(choice: Record<string, string>) => Promise<unknown> | null} tell Sends it by socket; null without one.
 */
export function offerChoices(texts, tell) {
  const form = need(document, "[data-reader]", HTMLFormElement);
  const problem = need(form, "[data-reader-problem]", HTMLElement);
  form.addEventListener("change", async ({ target }) => {
    if (!(target instanceof HTMLSelectElement)) return;
    const { name, value } = target;
    problem.textContent = "";
    try {
      await (tell({ [name]: value }) ?? post({ [name]: value }));
    } catch (error) {
      problem.textContent = texts.error(codeOf(error));
      return;
    }
    if (name === "language") return location.reload();
    if (value === "") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.remove(); // They ignore the choice.
    need(document, 'meta[name="color-scheme"]', HTMLMetaElement).content = value || "light dark";
  });
}

/** @param {Record<string, string>} choice */
function post(choice) {
  const headers = { "Content-Type": "application/json" };
  return fetchJson("/reader", { method: "POST", headers, body: JSON.stringify(choice) });
}

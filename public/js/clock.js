// Formats times in the reader's time zone and locale.

const page = document.documentElement.lang;
const locale = navigator.language.startsWith(page) ? navigator.language : page;
const hour = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });

/**
 * Writes the local time into every `<time>` element below `root`.
 * @param {ParentNode} root
 */
export function tellTime(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll("time[data-time]")) {
    if (!(element instanceof HTMLTimeElement) || element.dateTime === "") continue;
    const at = new Date(element.dateTime);
    element.textContent = (at.toDateString() === today ? hour : day).format(at);
    element.title = full.format(at);
    element.dataset.local = "";
  }
}

// Addresses in a text, to click on. The rest of the text stays text.

import { find } from "../lib/linkify.js";

/**
 * @param {Element} element
 * @param {string} text
 */
export function setTextWithLinks(element, text) {
  let end = 0;
  const pieces = [];
  for (const link of find(text, "url").filter(({ value }) => /^https?:\/\//.test(value))) {
    pieces.push(text.slice(end, link.start), anchor(link.value));
    end = link.end;
  }
  element.replaceChildren(...pieces, text.slice(end));
}

/** @param {string} address */
function anchor(address) {
  const link = document.createElement("a");
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow ugc";
  link.textContent = address;
  return link;
}

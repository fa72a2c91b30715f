// Renders a text with links and mentions. All other parts stay plain text.

import { find } from "../lib/linkify.js";

/**
 * @param {Element} element
 * @param {string} text
 * @param {(text: string) => (string | Node)[]} withNames Converts the mentions in a part without links.
 */
export function setText(element, text, withNames) {
  /** @type {(string | Node)[]} */
  const pieces = [];
  for (const piece of [...text.matchAll(STRETCH)].flatMap(([stretch]) => withLinks(stretch))) {
    const before = pieces.at(-1);
    if (typeof piece === "string" && typeof before === "string") pieces[pieces.length - 1] = before + piece;
    else pieces.push(piece);
  }
  element.replaceChildren(...pieces.flatMap((piece) => (typeof piece === "string" ? withNames(piece) : [piece])));
}

/** Splits a text where ASCII ends, because Korean particles follow a URL without a space. */
const STRETCH = /[\u0000-\u007f]+|[^\u0000-\u007f]+/g;

/** @param {string} text */
function withLinks(text) {
  let end = 0;
  /** @type {(string | Node)[]} */
  const pieces = [];
  for (const link of find(text, "url").filter(({ value }) => /^https?:\/\//.test(value))) {
    pieces.push(text.slice(end, link.start), anchor(link.value));
    end = link.end;
  }
  return [...pieces, text.slice(end)];
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

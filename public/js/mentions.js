// Converts mentions in a text between the protocol's English form, `@Teal 204`, and the reader's language.

/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {import("./api.js").Person} Person */

/** Matches an English colour word and a number. The server generates names in this form. */
const NAME = /@(?<word>[A-Z][a-z]+) (?<number>[1-9]\d{0,2})(?!\d)/gu;

/**
 * Splits a text into plain strings and elements for its mentions.
 * @param {string} text
 * @param {Texts} texts
 * @param {string} myName The reader's English name.
 */
export function withMentions(text, texts, myName) {
  let end = 0;
  /** @type {(string | Node)[]} */
  const pieces = [];
  for (const { 0: all, index, groups } of text.matchAll(NAME)) {
    const name = texts.name(groups?.word?.toLowerCase() ?? "", groups?.number ?? "");
    if (!name) continue;
    const mention = document.createElement("span");
    mention.className = all.slice(1) === myName ? "mention mention--me" : "mention";
    mention.textContent = `@${name}`;
    pieces.push(text.slice(end, index), mention);
    end = index + all.length;
  }
  return [...pieces, text.slice(end)].filter((piece) => piece !== "");
}

/**
 * Returns whether a text mentions a name.
 * @param {string} text
 * @param {string} name The English name.
 */
export function names(text, name) {
  return [...text.matchAll(NAME)].some(([all]) => all.slice(1) === name);
}

/**
 * Replaces the localized names of these people with their English names.
 * @param {string} text The text as the author typed it.
 * @param {Person[]} people
 * @param {Texts} texts
 */
export function inEnglish(text, people, texts) {
  const called = people.map((person) => ({ name: person.name, called: `@${texts.called(person)}` }));
  called.sort((one, other) => other.called.length - one.called.length);
  return called.reduce((said, { name, called: words }) => replaceWhole(said, words, `@${name}`), text);
}

/**
 * @param {string} text
 * @param {string} words
 * @param {string} by
 */
function replaceWhole(text, words, by) {
  const [first = "", ...others] = text.split(words);
  return others.reduce((said, rest) => said + (/^\d/.test(rest) ? words : by) + rest, first);
}

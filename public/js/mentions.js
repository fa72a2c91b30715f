// Names in a text: `@Teal 204`, as the wire has them, and as the reader calls them.

/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {import("./wire.js").Person} Person */

/** An English colour word and a number, as in the server's code. */
const NAME = /@(?<word>[A-Z][a-z]+) (?<number>[1-9]\d{0,2})(?!\d)/gu;

/**
 * Stretches of a text, those that name somebody as elements.
 * @param {string} text
 * @param {Texts} texts
 * @param {string} myName What the reader is called, in English.
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
 * Whether a text names somebody.
 * @param {string} text
 * @param {string} name In English.
 */
export function names(text, name) {
  return [...text.matchAll(NAME)].some(([all]) => all.slice(1) === name);
}

/**
 * The text with the names of these people as the wire has them.
 * @param {string} text As it was written.
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

// Makes the constants and types of the pages out of docs/asyncapi.yaml, after the official parser has found it to be
// valid; with --check, only says whether they are there.

import { readFile, writeFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";
import { compile } from "json-schema-to-typescript";

const DOCUMENT = new URL("../../docs/asyncapi.yaml", import.meta.url);
const SCRIPT = new URL("../../public/js/protocol.js", import.meta.url);
const TYPES = new URL("../../public/js/protocol.d.ts", import.meta.url);
const MADE = "// Made of docs/asyncapi.yaml by `make protocol`: change src/protocol instead.\n";

const source = await readFile(DOCUMENT, "utf8");
const { document, diagnostics } = await new Parser().parse(source);
const errors = diagnostics.filter(({ severity }) => severity === 0);
for (const { message, path, range } of errors) {
  console.error(`docs/asyncapi.yaml:${range.start.line + 1}: ${message} (${path.join(".")})`);
}
if (!document) process.exit(1);

const names = {
  told: namesOf(document.operations().filterBySend()),
  asked: namesOf(document.operations().filterByReceive()),
};
const made = new Map([
  [
    SCRIPT,
    MADE +
      Object.entries(names)
        .map(([kind, events]) => constants(`export const ${kind} =`, events))
        .join(""),
  ],
  [
    TYPES,
    MADE +
      (await types()) +
      Object.entries(names)
        .map(([kind, events]) => constants(`export const ${kind}:`, events))
        .join(""),
  ],
]);

const stale = [];
for (const [file, text] of made) {
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept === text) continue;
  stale.push(file.pathname.split("/").at(-1));
  if (!process.argv.includes("--check")) await writeFile(file, text);
}
if (process.argv.includes("--check") && stale.length > 0) {
  console.error(`${stale.join(", ")}: not what docs/asyncapi.yaml says: run \`make protocol\``);
  process.exit(1);
}

/** @param {Iterable<any>} operations */
function namesOf(operations) {
  const all = [...operations].flatMap((operation) => [...operation.messages()].map((message) => message.name()));
  return [...new Set(all)].sort();
}

/**
 * @param {string} start
 * @param {string[]} events
 */
function constants(start, events) {
  const constant = (/** @type {string} */ name) => name.replace(/[A-Z]/g, "_$&").replace(":", "_").toUpperCase();
  const lines = events.map((name) => `  ${constant(name)}: ${JSON.stringify(name)},`);
  return `\n${start} {\n${lines.join("\n")}\n};\n`;
}

/** The schemas of the document, as interfaces. The parser has put them in wherever another names them. */
async function types() {
  const { schemas } = document.json().components;
  const nameOf = new Map(Object.entries(schemas).map(([name, schema]) => [schema, name]));
  const definitions = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, { ...schema }]));
  const named = (/** @type {string} */ key, /** @type {unknown} */ value) => {
    if (key.startsWith("x-parser-")) return undefined; // The parser's own notes.
    return nameOf.has(value) ? { $ref: `#/definitions/${nameOf.get(value)}` } : value;
  };
  const all = { title: "Protocol", type: "object", additionalProperties: false, definitions };
  const options = { bannerComment: "", additionalProperties: false, unreachableDefinitions: true };
  const made = await compile(JSON.parse(JSON.stringify(all, named)), "Protocol", options);
  return made
    .replace(/\n *\*\n *\* This interface was referenced by [^/]*?\n( *)\*\//g, "\n$1*/")
    .replace(/\/\*\*\n *\* ([^\n]*)\n *\*\//g, "/** $1 */")
    .replace("export interface Protocol {}\n", "");
}

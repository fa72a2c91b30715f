// Copies what the pages load of other people's code from node_modules to here, where the server finds it.
// The copies are not kept in git; the `.d.ts` files beside them give their types to `tsc`.

import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));

cpSync(`${modules}socket.io-client/dist/socket.io.esm.min.js`, `${here}socket.io.js`);
cpSync(`${modules}idb-keyval/dist/index.js`, `${here}idb-keyval.js`);
cpSync(`${modules}linkifyjs/dist/linkify.mjs`, `${here}linkify.js`);

mkdirSync(`${here}fluent`, { recursive: true });
const fluent = `${modules}@fluent/bundle/esm/`;
for (const file of readdirSync(fluent).filter((name) => name.endsWith(".js"))) {
  cpSync(fluent + file, `${here}fluent/${file}`);
}

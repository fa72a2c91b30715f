// Runs the checks against Huechat and the peer, each on each of its stores, and prints a table:
// `npm ci --prefix bench/peer && node bench/check/run.js`. Against one server that runs already:
// `TARGET=http://127.0.0.1:8005 node --test bench/check/*.test.js`.
//
// Environment: `HUECHAT_BIN`, by default the debug build; `HUECHAT_TEST_SECANTUSD`, the program of
// a server that speaks MongoDB's protocol, by default the one that `make test` installs.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HUECHAT = process.env.HUECHAT_BIN ?? join(ROOT, "target/debug/huechat");
const SECANTUSD = process.env.HUECHAT_TEST_SECANTUSD ?? join(ROOT, ".venv/bin/secantusd-py");
const CHECKS = ["lobby", "entering", "talking"].map((name) => `bench/check/${name}.test.js`);
const RATES = [
  "RATE_ROOMS",
  "RATE_ENTERING",
  "RATE_PASSWORDS",
  "RATE_CHATS",
  "RATE_WHISPERS",
  "RATE_GIFS",
  "RATE_GIF_KIB",
  "RATE_READS",
  "RATE_EVENTS",
  "RATE_REQUESTS",
  "RATE_HANDSHAKES",
  "RATE_SESSIONS",
];
/** Longer than any of these programs takes to start on a busy machine. */
const START_MS = 30_000;

const huechat = [HUECHAT, "serve"];
const peer = [process.execPath, join(ROOT, "bench/peer/server.js")];
/** @type {{ name: string, command: string[], settings: Record<string, string> }[]} */
const CANDIDATES = [
  { name: "Huechat, MongoDB", command: huechat, settings: { MONGODB_URI: "huechat" } },
  { name: "Huechat, embedded store", command: huechat, settings: {} },
  { name: "peer, MongoDB", command: peer, settings: { MONGODB_URI: "peer" } },
  { name: "peer, no storage", command: peer, settings: { STORE: "off" } },
];

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
const folder = mkdtempSync(join(tmpdir(), "huechat-check-"));

/**
 * Starts a server, and waits until it listens.
 *
 * @param {string[]} command
 * @param {Record<string, string>} env beside ours
 * @param {RegExp} listening with its address as the first group
 */
async function start([program = "", ...args], env, listening) {
  const server = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(server);
  /** @type {string[]} */
  const log = [];
  /** @type {string} */
  const address = await new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`${program} did not start:\n${log.join("\n")}`));
    setTimeout(fail, START_MS).unref();
    server.once("error", reject);
    server.once("exit", fail);
    for (const stream of [server.stdout, server.stderr]) {
      createInterface(stream).on("line", (line) => {
        log.push(line);
        const found = line.match(listening);
        if (found) resolve(found[1] ?? "");
      });
    }
  });
  return { server, address, log };
}

/** @param {import("node:child_process").ChildProcess} server */
function stop(server) {
  running.delete(server);
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve(undefined);
    server.once("exit", resolve);
    server.kill("SIGTERM");
  });
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const listener = createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (listener.address());
      listener.close(() => resolve(port));
    });
  });
}

/** @param {string} target @returns {Promise<{ passed: number, failed: number }>} */
async function check(target) {
  const tests = spawn(process.execPath, ["--test", "--test-reporter=spec", ...CHECKS], {
    cwd: ROOT,
    env: { ...process.env, TARGET: target },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  tests.stdout.on("data", (chunk) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  await new Promise((resolve) => tests.once("close", resolve));
  const count = (/** @type {string} */ what) =>
    Number(output.match(new RegExp(`^(?:#|ℹ) ${what} (\\d+)$`, "m"))?.[1] ?? 0);
  const failed = count("fail") + count("cancelled") + count("skipped") + count("todo");
  return { passed: count("pass"), failed };
}

async function main() {
  const port = await freePort();
  const storage = ["--port", `${port}`, "--storage-path", join(folder, "mongodb")];
  await start([SECANTUSD, ...storage], {}, /(?:listening|ready)/i);
  const rows = [];
  for (const [index, { name, command, settings }] of CANDIDATES.entries()) {
    console.log(`\n=== ${name}`);
    /** @type {Record<string, string>} */
    const env = {
      HOST: "127.0.0.1",
      PORT: "0",
      ROOM_GRACE: "2",
      COOKIE_SECRET: "x".repeat(64),
      DATA_DIR: join(folder, `data-${index}`),
      UPLOADS_URL: join(folder, `uploads-${index}`),
      NODE_ENV: "production",
      RUST_LOG: "info",
      ...Object.fromEntries(RATES.map((rate) => [rate, "off"])),
      ...settings,
    };
    if (env.MONGODB_URI) env.MONGODB_URI = `mongodb://127.0.0.1:${port}/${env.MONGODB_URI}`;
    const candidate = await start(command, env, /listening on (http:\/\/[\d.:]+)/);
    const result = await check(candidate.address);
    await stop(candidate.server);
    if (result.failed > 0) console.log(candidate.log.join("\n"));
    rows.push({ name, ...result });
  }
  console.log(`\n${"server".padEnd(26)}${"passed".padStart(8)}${"failed".padStart(8)}`);
  for (const { name, passed, failed } of rows) {
    console.log(name.padEnd(26) + `${passed}`.padStart(8) + `${failed}`.padStart(8));
  }
  return rows.every(({ passed, failed }) => passed > 0 && failed === 0);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  await Promise.all([...running].map(stop));
  rmSync(folder, { recursive: true });
}

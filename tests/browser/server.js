// A server of a test's own: on a free port, with folders that go when it goes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const BINARY = process.env.HUECHAT_BIN ?? "target/debug/huechat";
const START_MS = 20_000;

export class Server {
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;
  #folder = mkdtempSync(join(tmpdir(), "huechat-browser-"));
  #settings;
  #log = "";
  #port = "0";

  /** @param {Record<string, string>} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get log() {
    return this.#log;
  }

  /** Starts it, the second time on the same port and on the same data. */
  async start() {
    const env = {
      PATH: process.env.PATH,
      HOST: "127.0.0.1",
      PORT: this.#port,
      DATA_DIR: join(this.#folder, "data"),
      UPLOADS_URL: pathToFileURL(this.#uploads).href,
      RATE_ROOMS: "off",
      RATE_ENTERING: "off",
      RATE_PASSWORDS: "off",
      RATE_CHATS: "off",
      RATE_WHISPERS: "off",
      RATE_GIFS: "off",
      RATE_GIF_KIB: "off",
      RATE_ITEMS: "off",
      RATE_READS: "off",
      RATE_EVENTS: "off",
      RATE_TOKENS: "off",
      NO_COLOR: "1",
      ...this.#settings,
    };
    this.#process = spawn(BINARY, ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
    await this.#listening(this.#process);
  }

  /** The file that the embedded store keeps everything in. */
  get database() {
    return join(this.#folder, "data", "huechat.sqlite3");
  }

  /** Every shared GIF and poster that is still there. */
  get files() {
    try {
      const entries = readdirSync(this.#uploads, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
      return files.filter((name) => name !== "store-id"); // It says whose files they are.
    } catch {
      return []; // No folder, no files.
    }
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal = "SIGTERM") {
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const exit = once(running, "exit");
    running.kill(signal);
    await exit;
  }

  async remove() {
    await this.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #uploads() {
    return join(this.#folder, "uploads");
  }

  /** @param {import("node:child_process").ChildProcess} running */
  #listening(running) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the server did not start\n${this.#log}`)), START_MS);
      running.once("exit", (code) => reject(new Error(`the server ended with ${code}\n${this.#log}`)));
      running.once("error", reject);
      for (const stream of [running.stdout, running.stderr]) {
        if (!stream) continue;
        createInterface(stream).on("line", (line) => {
          this.#log += `${line}\n`;
          const port = /listening on http:\/\/[^:]+:(\d+)/.exec(line)?.[1];
          if (!port) return;
          this.#port = port;
          clearTimeout(late);
          resolve(undefined);
        });
      }
    });
  }
}

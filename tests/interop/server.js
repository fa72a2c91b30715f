// A server of its own for a test, and visitors with sessions.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("../../target/debug/huechat", import.meta.url));

/** Longer than anything here takes on a busy machine. */
export const PATIENCE_MS = 30_000;

export class Server {
  #process;
  #folder;

  /** Where it is, such as `http://127.0.0.1:8005`. */
  url = "";

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "huechat-"));
    this.#process = spawn(process.env.HUECHAT_BIN ?? BUILT, {
      cwd: this.#folder,
      env: {
        HOST: "127.0.0.1",
        PORT: "0",
        DATA_DIR: join(this.#folder, "data"),
        UPLOADS_URL: join(this.#folder, "uploads"),
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  static async start() {
    const server = new Server();
    server.url = await server.#listening();
    return server;
  }

  /** @returns {Promise<string>} */
  #listening() {
    return new Promise((resolve, reject) => {
      this.#process.once("error", reject);
      this.#process.once("exit", () => reject(new Error("the server ended at its start")));
      createInterface(this.#process.stderr).on("line", (line) => {
        const found = line.match(/listening on (http:\/\/[\d.:]+)/);
        if (found?.[1]) resolve(found[1]);
      });
    });
  }

  async stop() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  /** The cookie of a new visitor. */
  async visitor() {
    const page = await fetch(this.url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return page.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  }

  /**
   * @param {string} cookie
   * @param {{ title: string, max: number, password?: string }} form
   * @returns {Promise<string>} the room's id
   */
  async makeRoom(cookie, form) {
    const answer = await fetch(`${this.url}/room`, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/json", cookie },
      body: JSON.stringify(form),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
    return (await answer.json()).id;
  }
}

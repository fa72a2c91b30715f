// A Socket.IO connection that keeps what it hears until it is asked for.

import { io } from "socket.io-client";

import { PATIENCE_MS } from "./server.js";

export class Client {
  /** @type {[string, any][]} */
  #heard = [];
  #wake = () => {};
  #socket;

  /** @param {import("socket.io-client").Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.onAny((event, data) => {
      this.#heard.push([event, data]);
      this.#wake();
    });
  }

  /**
   * Connects, or throws the refusal.
   *
   * @param {string} url with the namespace as its path
   * @param {{ cookie?: string, auth?: object, transports: string[] }} options
   */
  static async connect(url, { cookie, auth, transports }) {
    const socket = io(url, {
      auth,
      transports,
      extraHeaders: cookie ? { cookie } : {},
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      timeout: PATIENCE_MS,
    });
    const client = new Client(socket);
    await new Promise((resolve, reject) => {
      socket.once("connect", () => resolve(undefined));
      socket.once("connect_error", reject);
      socket.connect();
    });
    return client;
  }

  /** The next event that was not asked for yet. @returns {Promise<[string, any]>} */
  async next() {
    while (this.#heard.length === 0) await this.#soon((resolve) => (this.#wake = resolve));
    return /** @type {[string, any]} */ (this.#heard.shift());
  }

  /** What the next event of this name carries. What comes before it is passed over. @param {string} name */
  async hears(name) {
    for (;;) {
      const [event, data] = await this.next();
      if (event === name) return data;
    }
  }

  /** The acknowledgement. @param {string} event @param {unknown} [data] */
  ask(event, data) {
    return this.#socket.timeout(PATIENCE_MS).emitWithAck(event, data);
  }

  /** The transport, once it will not change any more. @param {boolean} upgrades */
  async transport(upgrades) {
    const { engine } = this.#socket.io;
    if (upgrades && engine.transport.name === "polling") {
      await this.#soon((resolve) => engine.once("upgrade", resolve));
    }
    return engine.transport.name;
  }

  close() {
    this.#socket.disconnect();
  }

  /** @param {(resolve: () => void) => void} begin */
  #soon(begin) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("waited too long")), PATIENCE_MS);
      begin(() => {
        clearTimeout(late);
        resolve(undefined);
      });
    });
  }
}

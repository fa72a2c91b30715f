// The server that is checked, at the address in `TARGET`, and people who visit it.

import { Client } from "../../tests/interop/client.js";
import { PATIENCE_MS } from "../../tests/interop/server.js";

export { PATIENCE_MS };

const url = (process.env.TARGET ?? "http://127.0.0.1:8005").replace(/\/$/, "");

/** @type {Set<Client>} */
const connected = new Set();

/** Ends every connection that is left. */
export function closeAll() {
  for (const client of connected) client.close();
  connected.clear();
}

/** An answer with its JSON, if it has any. @typedef {Response & { data: any }} Answer */

/** Somebody with a session of their own. */
export class Visitor {
  /** @param {string} [cookie] */
  constructor(cookie) {
    this.cookie = cookie;
  }

  static async new() {
    const visitor = new Visitor();
    const page = await visitor.get("/");
    visitor.cookie = page.headers.getSetCookie()[0]?.split(";")[0];
    return visitor;
  }

  /** @param {number} many */
  static several(many) {
    return Promise.all(Array.from({ length: many }, () => Visitor.new()));
  }

  /** @param {string} path @param {string} [accept] */
  get(path, accept = "application/json") {
    return this.#fetch(path, { headers: { accept } });
  }

  /** @param {string} path @param {unknown} body */
  post(path, body) {
    const headers = { accept: "application/json", "content-type": "application/json" };
    return this.#fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  /** @param {string} path @param {RequestInit} request @returns {Promise<Answer>} */
  async #fetch(path, request) {
    const headers = this.cookie ? { ...request.headers, cookie: this.cookie } : request.headers;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(url + path, { ...request, headers, signal });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.startsWith("application/json");
    return Object.assign(answer, { data: isJson ? JSON.parse(text) : text });
  }

  /** Opens a room. @param {string} title @returns {Promise<string>} its id */
  async opens(title, max = 50) {
    const answer = await this.post("/room", { title, max });
    if (answer.status !== 201) throw new Error(`${answer.status}: ${JSON.stringify(answer.data)}`);
    return answer.data.id;
  }

  /** @param {string} room @param {object} [auth] */
  connects(room, auth) {
    return this.#connect("/chat", { room, ...auth });
  }

  /** Comes in, and is greeted. @param {string} room @param {object} [auth] */
  async enters(room, auth) {
    const client = await this.connects(room, auth);
    const [event, welcome] = await client.next();
    if (event !== "welcome") throw new Error(`the first event is ${event}`);
    return { client, welcome };
  }

  watchesLobby() {
    return this.#connect("/room");
  }

  /** @param {string} namespace @param {object} [auth] */
  async #connect(namespace, auth) {
    const how = { cookie: this.cookie, auth, transports: ["websocket"] };
    const client = await Client.connect(url + namespace, how);
    connected.add(client);
    return client;
  }
}

/** All that is in a room. @param {Visitor} visitor @param {string} room */
export async function wholeHistory(visitor, room) {
  const all = [];
  for (let more = true; more;) {
    const { data } = await visitor.get(`/room/${room}/chat?after=${all.at(-1)?.seq ?? 0}`);
    all.push(...data.chats);
    more = data.more;
  }
  return all;
}

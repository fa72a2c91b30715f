// Requests to the server, over the socket and over HTTP, and the types of its responses.

/** @typedef {import("./protocol.js").Person} Person */
/** @typedef {import("./protocol.js").Gif} Gif */
/** @typedef {import("./protocol.js").Chat} Chat */
/** @typedef {import("./protocol.js").Room} Room */
/** @typedef {import("./protocol.js").Chats} History */
/** @typedef {import("./protocol.js").Welcome} Welcome */
/** @typedef {import("./protocol.js").ErrorBody} Refusal */
/** @typedef {{ ok: true, data: unknown } | { ok: false, error: Refusal }} Reply */

/** A request that the server refused or did not answer. `retryAfterMs` is the time until a retry can succeed. */
export class Refused extends Error {
  /**
   * @param {string} code
   * @param {number} [retryAfterMs]
   * @param {Record<string, string>} [fields] The error code of each field.
   */
  constructor(code, retryAfterMs, fields) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.fields = fields;
  }

  /**
   * Creates the error from an HTTP response.
   * @param {{ error?: Refusal } | null} body
   * @param {string | null} retryAfter The `Retry-After` header, in seconds.
   */
  static by(body, retryAfter) {
    const seconds = Number(retryAfter ?? NaN);
    const fromHeader = Number.isNaN(seconds) ? undefined : seconds * 1_000;
    const { code = "unknown", retryAfterMs = fromHeader, fields } = body?.error ?? {};
    return new Refused(code, retryAfterMs, fields);
  }
}

/** Creates the id of a message before it has a sequence number; the server uses it to recognize a retry. */
export function newClientId() {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

/** Timeout of a request, longer than the server needs to report that it is unavailable. */
const PATIENCE_MS = 8_000;

/**
 * Emits `event` and returns the data of its acknowledgement.
 * @param {import("../lib/socket.io.js").Socket} socket
 * @param {string} event
 * @param {unknown[]} data
 * @returns {Promise<any>}
 */
export async function ask(socket, event, ...data) {
  const silence = () => {
    throw new Refused("timeout");
  };
  /** @type {Reply} */
  const reply = await socket
    .timeout(PATIENCE_MS)
    .emitWithAck(event, ...data)
    .catch(silence);
  if (!reply.ok) throw new Refused(reply.error.code, reply.error.retryAfterMs);
  return reply.data;
}

/**
 * Fetches JSON; a refusal throws `Refused`.
 * @param {string} url
 * @param {RequestInit} [request]
 * @returns {Promise<any>}
 */
export async function fetchJson(url, request) {
  const headers = { Accept: "application/json", ...request?.headers };
  const silence = () => {
    throw new Refused("timeout");
  };
  const response = await fetch(url, { ...request, headers }).catch(silence);
  const body = await response.json().catch(() => null);
  if (!response.ok) throw Refused.by(body, response.headers.get("Retry-After"));
  return body;
}

/** @param {unknown} error */
export function codeOf(error) {
  return error instanceof Refused ? error.code : "unknown";
}

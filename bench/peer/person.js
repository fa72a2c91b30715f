// Who somebody is: an id for rights, a colour for the eye, a name for the tongue.

import { createHash, createHmac } from "node:crypto";

const PALETTE = [
  ["rose", "#b3305a"],
  ["scarlet", "#b83227"],
  ["copper", "#9a4f10"],
  ["gold", "#7a6100"],
  ["olive", "#5d6b00"],
  ["green", "#1f7a2e"],
  ["jade", "#00775a"],
  ["teal", "#007474"],
  ["azure", "#006da3"],
  ["indigo", "#5654c4"],
  ["violet", "#7a4ab8"],
  ["magenta", "#a23590"],
];
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** As many letters and digits of base 32 as there are bytes. @param {Uint8Array} bytes */
export function base32(bytes) {
  return Array.from(bytes, (byte) => BASE32[byte % 32]).join("");
}

/**
 * The person that a session is: always the same one for the same secret and session.
 *
 * @param {string} sessionId
 * @param {string} secret
 */
export function personOf(sessionId, secret) {
  const digest = createHash("sha256").update(sessionId).digest();
  const [hue, color] = PALETTE[digest.readUInt16BE(0) % PALETTE.length];
  const number = (digest.readUInt16BE(2) % 999) + 1;
  const id = base32(createHmac("sha256", secret).update(sessionId).digest().subarray(0, 12));
  const name = `${hue[0].toUpperCase()}${hue.slice(1)} ${number}`;
  return { id, color, hue, number, name };
}

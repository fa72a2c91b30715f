// Uploads one GIF. It uses XMLHttpRequest because `fetch` does not report the progress of an upload.

import { Refused } from "../../api.js";

/** @typedef {import("../../api.js").Chat} Chat */

/** Aborts an upload without progress for this time. The limit covers the time that the server needs to check a GIF. */
const PATIENCE_MS = 20_000;

/**
 * @param {string} room
 * @param {{ clientId: string, file: File }} gif
 * @param {AbortSignal} signal
 * @param {(percent: number) => void} progressed
 * @returns {Promise<Chat>}
 */
export function uploadGif(room, { clientId, file }, signal, progressed) {
  signal.throwIfAborted();
  const form = new FormData();
  form.set("clientId", clientId); // Before the file, because the server reads the fields in order.
  form.set("gif", file);
  const request = new XMLHttpRequest();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let silence;
  const wait = () => {
    clearTimeout(silence);
    silence = setTimeout(() => request.abort(), PATIENCE_MS);
  };
  return new Promise((resolve, reject) => {
    request.open("POST", `/room/${room}/gif`);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => {
      wait();
      progressed((100 * loaded) / total);
    };
    request.onload = () => {
      if (request.status === 201) resolve(request.response);
      else reject(Refused.by(request.response, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(new Refused("upload_failed"));
    request.onabort = () => reject(new Refused("timeout"));
    request.onloadend = () => clearTimeout(silence);
    signal.addEventListener("abort", () => request.abort());
    wait();
    request.send(form);
  });
}

// Sends one GIF. XMLHttpRequest, because `fetch` does not tell how far an upload has got.

import { Refused } from "../wire.js";

export class GifUpload {
  #request = new XMLHttpRequest();
  #url;
  #form = new FormData();

  /**
   * @param {string} room
   * @param {File} file
   * @param {string} clientId
   */
  constructor(room, file, clientId) {
    this.#url = `/room/${room}/gif`;
    this.#form.set("clientId", clientId); // Before the file: the server reads in order.
    this.#form.set("gif", file);
  }

  /**
   * @param {(percent: number) => void} progressed
   * @returns {Promise<void>}
   */
  send(progressed) {
    const request = this.#request;
    return new Promise((resolve, reject) => {
      request.open("POST", this.#url);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.onprogress = ({ loaded, total }) => progressed((100 * loaded) / total);
      request.onload = () => {
        if (request.status === 201) resolve();
        else reject(new Refused(request.response?.error?.code ?? "upload_failed"));
      };
      request.onerror = request.onabort = () => reject(new Refused("upload_failed"));
      request.send(this.#form);
    });
  }

  cancel() {
    this.#request.abort();
  }
}

// Files of the GIFs that are not sent yet. IndexedDB keeps them across a reload: they are too large for sessionStorage.

import { createStore, del, delMany, entries, get, set } from "../../../lib/idb-keyval.js";

/** @typedef {{ file: File, at: number }} Kept */

/** Maximum age of a kept file. After this time, the tab that would send it is assumed to be closed. */
const LONGEST_MS = 24 * 60 * 60_000;

export class KeptFiles {
  #store = createStore("huechat", "gifs");
  /**
   * The files of this page. They serve browsers without IndexedDB, such as some private windows; and as long as a page
   * uses a file from IndexedDB, the browser does not delete it.
   * @type {Map<string, File>}
   */
  #here = new Map();

  /**
   * @param {string} clientId
   * @param {File} file
   */
  async keep(clientId, file) {
    this.#here.set(clientId, file);
    await this.#try(() => set(clientId, { file, at: Date.now() }, this.#store));
  }

  /** @param {string} clientId */
  async find(clientId) {
    const here = this.#here.get(clientId);
    if (here) return here;
    const kept = await this.#try(() => get(clientId, this.#store));
    return /** @type {Kept | undefined} */ (kept)?.file;
  }

  /** @param {string} clientId */
  async remove(clientId) {
    this.#here.delete(clientId);
    await this.#try(() => del(clientId, this.#store));
  }

  /** Removes the files that closed tabs have left behind. */
  async removeOld() {
    const all = /** @type {[string, Kept][]} */ ((await this.#try(() => entries(this.#store))) ?? []);
    const old = all.filter(([, { at }]) => Date.now() - at > LONGEST_MS).map(([clientId]) => clientId);
    await this.#try(() => delMany(old, this.#store));
  }

  /**
   * @template T
   * @param {() => Promise<T>} job
   */
  async #try(job) {
    try {
      return await job();
    } catch (error) {
      console.warn("nothing can be kept here", error);
      return undefined;
    }
  }
}

// How long to wait before trying again: longer each time, and not everybody at once.

export class Backoff {
  #firstMs;
  #longestMs;
  #tries = 0;

  /**
   * @param {number} firstMs
   * @param {number} longestMs
   */
  constructor(firstMs, longestMs) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** Counts one more failure, and gives back the pause after it in milliseconds. */
  next() {
    const most = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#tries);
    this.#tries += 1;
    return most * (0.5 + Math.random() / 2);
  }

  /** It went well. */
  reset() {
    this.#tries = 0;
  }
}

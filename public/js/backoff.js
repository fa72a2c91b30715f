// Exponential backoff with a random part, so that the clients do not all retry at the same moment.

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

  /** Counts a failure and returns the delay after it, in milliseconds. */
  next() {
    const most = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#tries);
    this.#tries += 1;
    return most * (0.5 + Math.random() / 2);
  }

  /** Resets the delay after a success. */
  reset() {
    this.#tries = 0;
  }
}

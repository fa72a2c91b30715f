// Shows in an element how many seconds are left.

export class Countdown {
  #element;
  #say;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #tick;

  /**
   * @param {HTMLElement} element
   * @param {(seconds: number) => string} say
   */
  constructor(element, say) {
    this.#element = element;
    this.#say = say;
  }

  /** @param {number} until The end, in milliseconds since the epoch. */
  start(until) {
    clearInterval(this.#tick);
    const say = () => {
      const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1_000));
      this.#element.textContent = this.#say(seconds);
      if (seconds === 0) clearInterval(this.#tick);
    };
    this.#tick = setInterval(say, 1_000);
    say();
  }

  stop() {
    clearInterval(this.#tick);
    this.#element.textContent = "";
  }
}

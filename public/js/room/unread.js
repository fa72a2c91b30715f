// How many messages came while nobody looked, in the title of the tab.

export class Unread {
  #count = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#looked());
  }

  /** @param {number} messages That others said. */
  add(messages) {
    if (!document.hidden || messages === 0) return;
    this.#count += messages;
    this.#show();
  }

  /** The title itself has changed. */
  retitled() {
    this.#show();
  }

  #looked() {
    if (document.hidden || this.#count === 0) return;
    this.#count = 0;
    this.#show();
  }

  #show() {
    const title = document.title.replace(/^\(\d+\) /, "");
    document.title = this.#count > 0 ? `(${this.#count}) ${title}` : title;
  }
}

// Shows in the title of the tab how many messages arrived while the tab was hidden.

export class Unread {
  #count = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#looked());
  }

  /** @param {number} messages The number of new messages by other people. */
  add(messages) {
    if (!document.hidden || messages === 0) return;
    this.#count += messages;
    this.#show();
  }

  /** Restores the count after the room's title has changed. */
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

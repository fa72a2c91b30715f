// One room's messages, in their order: those that arrive while others are being stored are stored
// together, next.

import { ObjectId } from "mongodb";

import { Refusal } from "./refusal.js";

export class Lane {
  #drafts = [];
  #tasks = [];
  #isWorking = false;
  #room;
  #store;
  /** The number of the room's newest message; undefined when the store must be asked. */
  #head;

  /** @param {string} room @param {number} [head] */
  constructor(room, store, head) {
    this.#room = room;
    this.#store = store;
    this.#head = head;
  }

  /**
   * Stores a message, and then tells everybody. The order of calls is the order of messages.
   *
   * @param {object} message its kind, its author and what it says
   * @param {(message: object, prev: number) => void} announce
   * @returns {Promise<object>} the message as it is stored, or was when it was said before
   */
  say(message, announce) {
    return new Promise((resolve, reject) => {
      this.#drafts.push({ message, announce, resolve, reject, at: new Date() });
      this.#work();
    });
  }

  /** Does something after all that was said before, at a moment when nothing is being announced. */
  between(task) {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => task().then(resolve, reject));
      this.#work();
    });
  }

  async #work() {
    if (this.#isWorking) return;
    this.#isWorking = true;
    while (this.#drafts.length + this.#tasks.length > 0) {
      const [drafts, tasks] = [this.#drafts, this.#tasks];
      this.#drafts = [];
      this.#tasks = [];
      if (drafts.length > 0) await this.#storeTogether(drafts);
      if (tasks.length > 0) await Promise.all(tasks.map((task) => task()));
    }
    this.#isWorking = false;
  }

  async #storeTogether(drafts) {
    try {
      const first = await this.#store.takeNumbers(this.#room, drafts.length);
      if (first === null) throw new Refusal("no_such_room");
      this.#head ??= await this.#store.newestBefore(this.#room, first);
      const messages = drafts.map(({ message, at }, index) => ({
        _id: new ObjectId(),
        room: this.#room,
        seq: first + index,
        ...message,
        createdAt: at,
      }));
      const doubled = await this.#store.addMessages(messages);
      for (const [index, { announce, resolve, reject }] of drafts.entries()) {
        const message = messages[index];
        if (doubled.has(index)) {
          this.#store.saidBefore(message).then(resolve, reject);
          continue;
        }
        resolve(message);
        announce(message, this.#head);
        this.#head = message.seq;
      }
    } catch (error) {
      this.#head = undefined; // Some may be stored all the same.
      for (const { reject } of drafts) reject(error);
    }
  }
}

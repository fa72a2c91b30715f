// Keeps the messages complete and without duplicates when the connection drops and returns.

/** @typedef {import("../../api.js").Chat} Chat */
/** @typedef {import("../../api.js").History} History */

/**
 * @typedef {object} Callbacks
 * @property {Iterable<number>} seen The sequence numbers of the messages that the server has rendered.
 * @property {(chats: Chat[]) => void} show Shows messages that are not in the log yet.
 * @property {(more: boolean) => void} began The log has got its first messages. `more`: there are older ones.
 * @property {(after: number) => Promise<History>} ask Requests the messages after a sequence number.
 */

/**
 * Every message names its predecessor. When the log does not show the predecessor, the timeline first requests all
 * messages since the newest one in the log. Messages that arrive meanwhile wait for this request.
 */
export class Timeline {
  #callbacks;
  /** @type {Set<number>} */
  #seen;
  #newest;
  #turn = Promise.resolve();

  /** @param {Callbacks} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.#seen = new Set(callbacks.seen);
    this.#newest = Math.max(0, ...this.#seen);
  }

  /** The last sequence number up to which the log is complete. */
  get newest() {
    return this.#newest;
  }

  /**
   * Shows a message, after filling the gap before it. When that fails, the message is not shown: the next message,
   * `head` or welcome event detects the same gap again.
   * @param {Chat} chat
   * @param {number} [prev] The sequence number of the previous public message.
   */
  async accept(chat, prev = chat.prev) {
    const shown = this.#inTurn(async () => {
      if (prev !== undefined && prev > this.#newest) await this.#catchUp();
      this.#show([chat]);
    });
    await shown.catch(warn);
  }

  /** @param {number} seq The sequence number of the newest public message. */
  async head(seq) {
    const shown = this.#inTurn(async () => {
      if (seq > this.#newest) await this.#catchUp();
    });
    await shown.catch(warn);
  }

  /**
   * @param {History} history For an empty log, the newest messages; else those since the connection was lost, or their
   *   first page.
   * @returns {Promise<void>} Rejects when the other pages cannot be fetched.
   */
  resume({ chats, more }) {
    return this.#inTurn(async () => {
      const wasEmpty = this.#newest === 0;
      this.#show(chats);
      if (wasEmpty) this.#callbacks.began(more);
      else if (more) await this.#catchUp();
    });
  }

  /** @param {Chat[]} chats Older messages without a gap. */
  insert(chats) {
    this.#show(chats);
  }

  /** Shows all missed messages at once, because a layout after every page makes a long absence many times slower. */
  async #catchUp() {
    /** @type {Chat[]} */
    const missed = [];
    try {
      for (let more = true; more;) {
        const history = await this.#callbacks.ask(missed.at(-1)?.seq ?? this.#newest);
        missed.push(...history.chats);
        more = history.more && history.chats.length > 0;
      }
    } finally {
      this.#show(missed); // Keeps the pages that arrived before an error.
    }
  }

  /** @param {Chat[]} chats */
  #show(chats) {
    const fresh = chats.filter(({ seq }) => !this.#seen.has(seq));
    for (const { seq } of fresh) {
      this.#seen.add(seq);
      this.#newest = Math.max(this.#newest, seq);
    }
    if (fresh.length > 0) this.#callbacks.show(fresh);
  }

  /**
   * Runs the jobs one after another.
   * @param {() => Promise<void>} job
   */
  #inTurn(job) {
    const turn = this.#turn.then(job);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** @param {unknown} error */
function warn(error) {
  console.warn("could not catch up", error);
}

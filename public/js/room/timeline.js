// The order of a room: nothing missing, nothing twice, whatever the connection does.

/** @typedef {import("../wire.js").Chat} Chat */
/** @typedef {import("../wire.js").History} History */

/**
 * @typedef {object} Ways
 * @property {Iterable<number>} seen What the server had rendered.
 * @property {(chats: Chat[]) => void} show Shows messages that were not shown yet.
 * @property {(after: number) => Promise<History>} ask Asks for what was said after a message.
 */

/**
 * Every message says which one came before it. Where that one was not shown yet, everything
 * since the newest shown is asked for first. Messages that arrive meanwhile wait their turn.
 */
export class Timeline {
  #ways;
  /** @type {Set<number>} */
  #seen;
  #newest;
  #turn = Promise.resolve();

  /** @param {Ways} ways */
  constructor(ways) {
    this.#ways = ways;
    this.#seen = new Set(ways.seen);
    this.#newest = Math.max(0, ...this.#seen);
  }

  /** Up to here, nothing is missing. */
  get newest() {
    return this.#newest;
  }

  /**
   * When the gap before it cannot be filled just now, it is not shown: the next message, `head` or
   * welcome finds the same gap again.
   * @param {Chat} chat
   * @param {number} [prev] The message before it that everybody sees.
   */
  async accept(chat, prev = chat.prev) {
    const shown = this.#inTurn(async () => {
      if (prev !== undefined && prev > this.#newest) await this.#catchUp();
      this.#show([chat]);
    });
    await shown.catch(warn);
  }

  /** @param {number} seq The newest message that everybody sees. */
  async head(seq) {
    const shown = this.#inTurn(async () => {
      if (seq > this.#newest) await this.#catchUp();
    });
    await shown.catch(warn);
  }

  /**
   * @param {History} history What was said while the connection was away, or the first page of it.
   * @returns {Promise<void>} Fails when the rest of it cannot be had.
   */
  resume({ chats, more }) {
    return this.#inTurn(async () => {
      this.#show(chats);
      if (more) await this.#catchUp();
    });
  }

  /** @param {Chat[]} chats Older ones, which leave nothing out either. */
  insert(chats) {
    this.#show(chats);
  }

  /** All is shown at once: laid out and painted after every answer, a long absence takes many times as long. */
  async #catchUp() {
    /** @type {Chat[]} */
    const missed = [];
    try {
      for (let more = true; more; ) {
        const history = await this.#ways.ask(missed.at(-1)?.seq ?? this.#newest);
        missed.push(...history.chats);
        more = history.more && history.chats.length > 0;
      }
    } finally {
      this.#show(missed); // What was had before it failed is not asked for again.
    }
  }

  /** @param {Chat[]} chats */
  #show(chats) {
    const fresh = chats.filter(({ seq }) => !this.#seen.has(seq));
    for (const { seq } of fresh) {
      this.#seen.add(seq);
      this.#newest = Math.max(this.#newest, seq);
    }
    if (fresh.length > 0) this.#ways.show(fresh);
  }

  /**
   * One after another.
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

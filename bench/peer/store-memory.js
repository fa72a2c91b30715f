// Everything in memory, for measuring what is left when nothing is stored.

import session from "express-session";

export class MemoryStore {
  #rooms = new Map();
  /** Of each room, in their order. */
  #messages = new Map();
  /** By room, author and client id. */
  #said = new Map();

  sessions() {
    return new session.MemoryStore();
  }

  async close() {}

  async seatedRooms() {
    return [];
  }

  async openRoom(room) {
    this.#rooms.set(room._id, { ...room, people: [] });
    this.#messages.set(room._id, []);
    this.#said.set(room._id, new Map());
  }

  async room(id) {
    return this.#copy(id);
  }

  async lobby(skip, limit) {
    const byLife = (a, b) => b.count - a.count || b.createdAt - a.createdAt;
    const rooms = [...this.#rooms.values()].sort(byLife).slice(skip, skip + limit);
    return { rooms: rooms.map(({ _id }) => this.#copy(_id)), total: this.#rooms.size };
  }

  async summaries(ids) {
    return ids.map((id) => this.#copy(id)).filter((room) => room !== null);
  }

  async takeSeat(id, seat) {
    const room = this.#rooms.get(id);
    if (!room || room.count >= room.max || isSeated(room, seat.id)) return null;
    room.people.push(seat);
    room.count += 1;
    return this.#copy(id);
  }

  async giveUpSeat(id, person) {
    const room = this.#rooms.get(id);
    if (!room || !isSeated(room, person)) return null;
    room.people = room.people.filter((seat) => seat.id !== person);
    room.count -= 1;
    return this.#copy(id);
  }

  async setOwner(id, owner) {
    const room = this.#rooms.get(id);
    if (room) room.owner = owner;
  }

  async removeIfEmpty(id) {
    return this.#rooms.get(id)?.count === 0 && this.#rooms.delete(id);
  }

  async removeMessages(id) {
    this.#messages.delete(id);
    this.#said.delete(id);
  }

  async takeNumbers(id, many) {
    const room = this.#rooms.get(id);
    if (!room) return null;
    room.seq += many;
    return room.seq - many + 1;
  }

  async newestBefore() {
    return 0; // Asked only about rooms that a server found when it started.
  }

  async addMessages(messages) {
    const doubled = new Set();
    for (const [index, message] of messages.entries()) {
      const said = this.#said.get(message.room);
      const key = `${message.user.id} ${message.clientId}`;
      if (message.clientId && said?.has(key)) {
        doubled.add(index);
        continue;
      }
      if (message.clientId) said?.set(key, message);
      this.#messages.get(message.room)?.push(message);
    }
    return doubled;
  }

  async saidBefore({ room, user, clientId }) {
    return this.#said.get(room).get(`${user.id} ${clientId}`);
  }

  async history(id, { after, before = Infinity, limit }) {
    const all = this.#messages.get(id) ?? [];
    const isLater = after !== undefined;
    const end = isLater ? all.length : firstFrom(all, before);
    const start = isLater ? firstFrom(all, after + 1) : Math.max(0, end - limit);
    const messages = all.slice(start, Math.min(end, start + limit));
    return { messages, more: isLater ? start + limit < end : start > 0 };
  }

  #copy(id) {
    const room = this.#rooms.get(id);
    return room ? { ...room, people: [...room.people] } : null;
  }
}

function isSeated(room, person) {
  return room.people.some((seat) => seat.id === person);
}

/** The index of the first message with this number or a later one. */
function firstFrom(messages, seq) {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (messages[middle].seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

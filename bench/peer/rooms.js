// What people may do: open rooms, come in, talk, leave.

import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";

import { Lane } from "./lane.js";
import { base32 } from "./person.js";
import { Refusal } from "./refusal.js";

const MAX_TITLE = 60;
const MAX_CAPACITY = Number(process.env.MAX_ROOM_CAPACITY ?? 500);
const MAX_TEXT = 2_000;
/** As many messages one stretch of history holds at most. */
const MAX_WINDOW = 100;
/** As many of the newest messages greet whoever comes without saying what they have seen. */
const GREETED_WITH = 50;
const FIRST_PERSON_WITHIN_MS = 60_000;

/** One person's place in one room, and the connections that hold it. */
class Seat {
  connections = 0;
  isTaken = false;
  /** @type {NodeJS.Timeout | undefined} */
  grace;
  #turn = Promise.resolve();

  /** Coming and going of one person happen one after another. */
  inTurn(step) {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/**
 * Events: `opened` room, `changed` id, `closed` id; `said` message, prev; `joined` and `left`
 * person, count, message, prev; `owner` id, person.
 */
export class Rooms extends EventEmitter {
  #store;
  #graceMs;
  /** @type {Map<string, Lane>} */
  #lanes = new Map();
  /** @type {Map<string, Seat>} by room and person */
  #seats = new Map();

  constructor(store, graceMs) {
    super();
    this.#store = store;
    this.#graceMs = graceMs;
  }

  /** Takes over what a server before this one left: everybody there has lost their connection. */
  async resume() {
    for (const { _id, people } of await this.#store.seatedRooms()) {
      if (people.length === 0) this.#removeUnused(_id);
      for (const { since, ...person } of people) {
        this.#seat(_id, person).isTaken = true;
        this.#keepForGrace(_id, person);
      }
    }
  }

  /** @param {{ title?: unknown, max?: unknown }} form */
  async open(owner, form) {
    const { title, max } = parsed(form);
    const room = {
      _id: base32(randomBytes(16)),
      title,
      max,
      owner,
      seq: 0,
      count: 0,
      createdAt: new Date(),
    };
    await this.#store.openRoom(room);
    this.#lanes.set(room._id, new Lane(room._id, this.#store, 0));
    this.emit("opened", { ...room, people: [] });
    this.#removeUnused(room._id);
    return { ...room, people: [] };
  }

  /** Takes a seat for a new connection, or holds on to the one that this person has. */
  async enter(id, person) {
    const seat = this.#seat(id, person);
    seat.connections += 1;
    clearTimeout(seat.grace);
    try {
      return await seat.inTurn(() => this.#sitDown(seat, id, person));
    } catch (error) {
      this.letGo(id, person);
      throw error;
    }
  }

  async #sitDown(seat, id, person) {
    if (!seat.isTaken) {
      const room = await this.#store.takeSeat(id, { ...person, since: new Date() });
      if (room) {
        seat.isTaken = true;
        this.#note(id, "joined", person, (message, prev) => this.emit("joined", person, room.count, message, prev));
        this.emit("changed", id);
        return room;
      }
    }
    const room = await this.#store.room(id);
    if (!room) throw new Refusal("no_such_room");
    if (!room.people.some((there) => there.id === person.id)) throw new Refusal("room_full");
    seat.isTaken = true;
    return room;
  }

  /** A connection went: the last one leaves the seat for the grace. */
  letGo(id, person) {
    const seat = this.#seat(id, person);
    seat.connections -= 1;
    if (seat.connections > 0) return;
    if (seat.isTaken) this.#keepForGrace(id, person);
    else this.#seats.delete(key(id, person));
  }

  #keepForGrace(id, person) {
    const seat = this.#seat(id, person);
    seat.grace = setTimeout(() => {
      const leave = async () => seat.connections === 0 && this.#depart(seat, id, person);
      seat.inTurn(leave).catch(console.error);
    }, this.#graceMs);
  }

  /** Leaves at once, with every tab; what they said before is stored before. */
  async exit(id, person) {
    const seat = this.#seat(id, person);
    await this.#lane(id).between(async () => {});
    const left = await seat.inTurn(() => this.#depart(seat, id, person));
    if (!left) throw new Refusal("not_in_room");
  }

  async #depart(seat, id, person) {
    const room = await this.#store.giveUpSeat(id, person.id);
    seat.isTaken = false;
    if (seat.connections === 0) this.#seats.delete(key(id, person));
    if (!room) return false;
    if (room.count === 0 && (await this.#removeIfEmpty(id))) return true;
    this.#note(id, "left", person, (message, prev) => this.emit("left", person, room.count, message, prev));
    if (room.owner.id === person.id && room.people.length > 0) {
      const { since, ...heir } = room.people[0];
      await this.#store.setOwner(id, heir);
      this.#note(id, "owner", heir, (message, prev) => {
        this.emit("said", message, prev);
        this.emit("owner", id, heir);
      });
    }
    this.emit("changed", id);
    return true;
  }

  /** Says something; the answer comes once it is stored. */
  async say(id, person, { chat, clientId } = {}) {
    if (typeof chat !== "string") throw new Refusal("malformed");
    if (!["string", "undefined"].includes(typeof (clientId ?? undefined))) {
      throw new Refusal("malformed");
    }
    const text = chat.trimEnd().replace(/^[\r\n]+/, "");
    if (text === "") throw new Refusal("invalid", { chat: "chat_empty" });
    if (text.length > MAX_TEXT && [...text].length > MAX_TEXT) throw new Refusal("too_long");
    if (clientId != null && !/^[!-~]{1,64}$/.test(clientId)) {
      throw new Refusal("invalid", { clientId: "client_id" });
    }
    if (!this.#seats.get(key(id, person))?.isTaken) {
      const room = await this.#store.room(id);
      throw new Refusal(room ? "not_in_room" : "no_such_room");
    }
    const message = { kind: "chat", user: person, chat: text, clientId: clientId ?? undefined };
    return this.#lane(id).say(message, (stored, prev) => this.emit("said", stored, prev));
  }

  /** A stretch of messages, for somebody who has a seat or could take one. */
  async history(id, person, window) {
    if (!this.#seats.get(key(id, person))?.isTaken) {
      const room = await this.#store.room(id);
      if (!room) throw new Refusal("no_such_room");
      if (room.count >= room.max) throw new Refusal("room_full");
    }
    const { before, after, limit = MAX_WINDOW } = window ?? {};
    if (![before ?? 0, after ?? 0, limit].every(Number.isSafeInteger)) {
      throw new Refusal("malformed");
    }
    return this.#store.history(id, {
      before: before ?? undefined,
      after: after ?? undefined,
      limit: Math.min(Math.max(limit, 1), MAX_WINDOW),
    });
  }

  /** Calls `welcome` with what somebody missed; what is announced after it, they hear. */
  greet(id, after, welcome) {
    const window = after === undefined ? { limit: GREETED_WITH } : { after, limit: MAX_WINDOW };
    return this.#lane(id).between(async () => welcome(await this.#store.history(id, window)));
  }

  #note(id, code, person, announce) {
    const words = { joined: "joined", left: "left", owner: "owns the room now" }[code];
    const message = {
      kind: "system",
      user: person,
      chat: `${person.name} ${words}`,
      system: { code, person },
    };
    this.#lane(id)
      .say(message, announce)
      .catch((error) => error.code === "no_such_room" || console.error(error));
  }

  async #removeIfEmpty(id) {
    if (!(await this.#store.removeIfEmpty(id))) return false;
    // After the messages that are being stored. A room's id is never used again.
    await this.#lane(id).between(() => this.#store.removeMessages(id));
    this.#lanes.delete(id);
    this.emit("closed", id);
    return true;
  }

  #removeUnused(id) {
    const remove = () => this.#removeIfEmpty(id).catch(console.error);
    setTimeout(remove, FIRST_PERSON_WITHIN_MS).unref();
  }

  #seat(id, person) {
    const found = this.#seats.get(key(id, person));
    if (found) return found;
    const seat = new Seat();
    this.#seats.set(key(id, person), seat);
    return seat;
  }

  #lane(id) {
    const found = this.#lanes.get(id);
    if (found) return found;
    const lane = new Lane(id, this.#store);
    this.#lanes.set(id, lane);
    return lane;
  }
}

function key(id, person) {
  return `${id}/${person.id}`;
}

function parsed(form) {
  const title = String(form?.title ?? "")
    .replace(/\p{Cc}/gu, " ")
    .trim();
  const digits = String(form?.max ?? "").trim();
  const max = Number(digits);
  const fields = {};
  if (title === "") fields.title = "title_empty";
  else if ([...title].length > MAX_TITLE) fields.title = "title_too_long";
  if (!/^-?\d+$/.test(digits)) fields.max = "max_not_a_number";
  else if (max < 2 || max > MAX_CAPACITY) fields.max = "max_out_of_range";
  if (Object.keys(fields).length > 0) throw new Refusal("invalid", fields);
  return { title, max };
}

// Rooms, messages and sessions in MongoDB. What a write acknowledges is on most servers, and in
// their journals.

import ConnectMongo from "connect-mongo";
import { MongoBulkWriteError, MongoClient } from "mongodb";

const DUPLICATE_KEY = 11_000;
/** As many colours as the lobby shows of a room. */
const COLORS = 12;
const SUMMARY = {
  title: 1,
  max: 1,
  count: 1,
  owner: 1,
  createdAt: 1,
  people: { $slice: COLORS },
};

/**
 * connect-mongo's sessions, found by their id and a plain condition: its own `$or` beside the id leads the server
 * that is measured with through all sessions.
 */
class Sessions extends ConnectMongo {
  get(sid, callback) {
    this.#find(sid).then((session) => callback(null, session), callback);
  }

  async #find(sid) {
    const sessions = await this.collectionP;
    const found = await sessions.findOne({ _id: sid, expires: { $gt: new Date() } });
    return found && { ...JSON.parse(found.session), lastModified: found.lastModified };
  }
}

export class MongoStore {
  #client;
  #rooms;
  #messages;
  #waiting = [];
  #isInserting = false;

  constructor(client) {
    this.#client = client;
    this.#rooms = client.db().collection("rooms");
    this.#messages = client.db().collection("chats");
  }

  /** @param {string} uri with the database's name as its path */
  static async open(uri) {
    const client = new MongoClient(uri, {
      appName: "huechat-peer",
      ignoreUndefined: true,
      writeConcern: { w: "majority", journal: true },
    });
    await client.connect();
    const store = new MongoStore(client);
    await store.#rooms.createIndex({ count: -1, createdAt: -1 });
    await store.#messages.createIndex({ room: 1, seq: 1 }, { unique: true });
    await store.#messages.createIndex(
      { room: 1, "user.id": 1, clientId: 1 },
      { unique: true, partialFilterExpression: { clientId: { $exists: true } } },
    );
    return store;
  }

  sessions(maxAgeMs) {
    const day = 24 * 60 * 60;
    return new Sessions({ client: this.#client, ttl: maxAgeMs / 1000, touchAfter: day });
  }

  close() {
    return this.#client.close();
  }

  /** The rooms that a server before this one left. */
  seatedRooms() {
    return this.#rooms.find({}, { projection: { people: 1 } }).toArray();
  }

  async openRoom(room) {
    await this.#rooms.insertOne({ ...room, people: [] });
  }

  room(id) {
    return this.#rooms.findOne({ _id: id });
  }

  async lobby(skip, limit) {
    const page = this.#rooms.find({}, { projection: SUMMARY, skip, limit });
    const [rooms, total] = await Promise.all([
      page.sort({ count: -1, createdAt: -1 }).toArray(),
      this.#rooms.estimatedDocumentCount(),
    ]);
    return { rooms, total };
  }

  summaries(ids) {
    return this.#rooms.find({ _id: { $in: ids } }, { projection: SUMMARY }).toArray();
  }

  /** The room with this seat in it; null if it is full, gone, or has one for this person. */
  takeSeat(id, seat) {
    return this.#rooms.findOneAndUpdate(
      {
        _id: id,
        "people.id": { $ne: seat.id },
        // Within an `$and`, for the same reason as in Sessions.
        $and: [{ $expr: { $lt: ["$count", "$max"] } }],
      },
      { $push: { people: seat }, $inc: { count: 1 } },
      { returnDocument: "after" },
    );
  }

  /** The room without this person's seat; null if there was none. */
  giveUpSeat(id, person) {
    return this.#rooms.findOneAndUpdate(
      { _id: id, "people.id": person },
      { $pull: { people: { id: person } }, $inc: { count: -1 } },
      { returnDocument: "after" },
    );
  }

  async setOwner(id, owner) {
    await this.#rooms.updateOne({ _id: id }, { $set: { owner } });
  }

  async removeIfEmpty(id) {
    return (await this.#rooms.deleteOne({ _id: id, count: 0 })).deletedCount > 0;
  }

  async removeMessages(id) {
    await this.#messages.deleteMany({ room: id });
  }

  /** The first of so many numbers, which nobody else gets; null if there is no such room. */
  async takeNumbers(id, many) {
    const room = await this.#rooms.findOneAndUpdate(
      { _id: id },
      { $inc: { seq: many } },
      { returnDocument: "after", projection: { seq: 1 } },
    );
    return room && room.seq - many + 1;
  }

  async newestBefore(id, seq) {
    const newest = { sort: { seq: -1 }, projection: { seq: 1 } };
    const found = await this.#messages.findOne({ room: id, seq: { $lt: seq } }, newest);
    return found?.seq ?? 0;
  }

  /** Stores messages; gives the indexes of those whose client ids were there already. */
  addMessages(messages) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, resolve, reject });
      if (!this.#isInserting) this.#insertTogether();
    });
  }

  /** Messages of any room that arrive while others are being stored are stored together, next. */
  async #insertTogether() {
    this.#isInserting = true;
    while (this.#waiting.length > 0) {
      const batches = this.#waiting;
      this.#waiting = [];
      try {
        const doubled = await this.#insert(batches.flatMap(({ messages }) => messages));
        let first = 0;
        for (const { messages, resolve } of batches) {
          const start = first;
          resolve(new Set([...messages.keys()].filter((index) => doubled.has(start + index))));
          first += messages.length;
        }
      } catch (error) {
        for (const { reject } of batches) reject(error);
      }
    }
    this.#isInserting = false;
  }

  async #insert(messages) {
    try {
      await this.#messages.insertMany(messages, { ordered: false });
      return new Set();
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error;
      const errors = [error.writeErrors].flat();
      const isStored = !error.result.getWriteConcernError();
      if (!isStored || errors.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
      return new Set(errors.map(({ index }) => index));
    }
  }

  saidBefore({ room, user, clientId }) {
    return this.#messages.findOne({ room, "user.id": user.id, clientId });
  }

  async history(id, { after, before = Number.MAX_SAFE_INTEGER, limit }) {
    const isLater = after !== undefined;
    const seq = isLater ? { $gt: after } : { $lt: before };
    const found = await this.#messages
      .find({ room: id, seq }, { sort: { seq: isLater ? 1 : -1 }, limit: limit + 1 })
      .toArray();
    const messages = found.slice(0, limit);
    if (!isLater) messages.reverse();
    return { messages, more: found.length > limit };
  }
}

// What is said: stored before it is acknowledged, once, in one order, and heard by everybody.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeAll, Visitor, wholeHistory } from "./target.js";

after(closeAll);

/** @typedef {{ seq: number, prev: number, chat: string, clientId: string }} Heard */

test("what is acknowledged is stored, and everybody hears it with what came before", async () => {
  const [her, him] = /** @type {[Visitor, Visitor]} */ (await Visitor.several(2));
  const room = await her.opens("tea");
  const she = await her.enters(room);
  const he = await him.enters(room);
  const joined = he.welcome.chats.at(-1).seq;

  const message = { chat: "안녕, <b>tea</b>? ", clientId: "a-1" };
  const { ok, data } = await he.client.ask("chat:post", message);

  assert.equal(ok, true);
  const keys = ["id", "room", "seq", "kind", "user", "chat", "clientId", "createdAt"];
  assert.deepEqual(Object.keys(data).sort(), keys.sort());
  assert.deepEqual([data.room, data.kind, data.chat], [room, "chat", "안녕, <b>tea</b>?"]);
  assert.deepEqual([data.clientId, data.user], ["a-1", he.welcome.you]);
  assert.match(data.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual((await her.get(`/room/${room}/chat?limit=1`)).data.chats, [data]);
  for (const { client } of [she, he]) {
    assert.deepEqual(await client.hears("chat"), { ...data, prev: joined });
  }

  const said = await her.post(`/room/${room}/chat`, { chat: "by HTTP" });
  assert.equal(said.status, 201);
  assert.deepEqual(await he.client.hears("chat"), { ...said.data, prev: data.seq });
});

test("only who is in the room may speak, and only what a message may be", async () => {
  const [inside, outside] = /** @type {[Visitor, Visitor]} */ (await Visitor.several(2));
  const room = await inside.opens("closed circle");
  const { client } = await inside.enters(room);
  for (const [visitor, path, body, expected] of /** @type {[Visitor, string, object, any][]} */ ([
    [outside, room, { chat: "psst" }, [403, "not_in_room"]],
    [inside, "aaaaaaaaaaaaaaaa", { chat: "hello?" }, [404, "no_such_room"]],
    [inside, room, { chat: "  \n" }, [422, "invalid"]],
    [inside, room, { chat: "x".repeat(2001) }, [413, "too_long"]],
    [inside, room, { chat: "tea", clientId: "x".repeat(65) }, [422, "invalid"]],
    [inside, room, { chat: 7 }, [400, "malformed"]],
  ])) {
    const { status, data } = await visitor.post(`/room/${path}/chat`, body);
    assert.deepEqual([status, data.error.code], expected);
  }
  for (const wrong of [{}, null, "text", 7, []]) {
    const { ok, error } = await client.ask("chat:post", wrong);
    assert.deepEqual([ok, error.code], [false, "malformed"], JSON.stringify(wrong));
  }
  assert.equal((await client.ask("chat:post", { chat: "🫖".repeat(2000) })).ok, true);
});

test("what is said again with the same client id is stored once", async () => {
  const [her, him] = /** @type {[Visitor, Visitor]} */ (await Visitor.several(2));
  const room = await her.opens("echo");
  const [{ client: she }, { client: he }] = await Promise.all([her.enters(room), him.enters(room)]);
  const message = { chat: "once", clientId: "same" };

  const replies = await Promise.all(Array.from({ length: 6 }, () => she.ask("chat:post", message)));
  const later = await her.post(`/room/${room}/chat`, message);
  const his = await he.ask("chat:post", message); // His own is another.

  const first = replies[0].data;
  for (const { data } of replies) assert.deepEqual(data, first);
  assert.deepEqual([later.status, later.data], [201, first]);
  assert.notEqual(his.data.seq, first.seq);
  const chats = (await wholeHistory(her, room)).filter(({ kind }) => kind === "chat");
  assert.deepEqual(
    chats.map(({ seq }) => seq),
    [first.seq, his.data.seq],
  );
  const heard = [await he.hears("chat"), await he.hears("chat")];
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [first.seq, his.data.seq],
  );
  assert.equal(heard[1].prev, first.seq);
});

test("everybody hears everything in one order, and each person's words in theirs", async () => {
  const people = await Visitor.several(4);
  const owner = /** @type {Visitor} */ (people[0]);
  const room = await owner.opens("babble");
  const inside = [];
  for (const person of people) inside.push((await person.enters(room)).client);
  const EACH = 50;

  const replies = await Promise.all(
    inside.flatMap((client, who) =>
      Array.from({ length: EACH }, (_, number) =>
        client.ask("chat:post", { chat: `${who} ${number}`, clientId: `${who}-${number}` }),
      ),
    ),
  );

  const stored = (await wholeHistory(owner, room)).filter(({ kind }) => kind === "chat");
  assert.equal(stored.length, EACH * people.length);
  assert.deepEqual(
    replies.map(({ data }) => data).toSorted((a, b) => a.seq - b.seq),
    stored,
  );
  for (const client of inside) {
    /** @type {Heard[]} */
    const heard = [];
    while (heard.length < stored.length) heard.push(await client.hears("chat"));
    assert.deepEqual(
      heard.map(({ prev, ...chat }) => chat),
      stored,
    );
    heard.slice(1).forEach(({ prev }, index) => assert.equal(prev, heard[index]?.seq));
  }
  for (const who of people.keys()) {
    const own = stored.filter(({ chat }) => chat.startsWith(`${who} `));
    const said = Array.from({ length: EACH }, (_, number) => `${who} ${number}`);
    assert.deepEqual(
      own.map(({ chat }) => chat),
      said,
    );
  }
});

test("who was away is told what they missed, and history is read in stretches", async () => {
  const [her, him] = /** @type {[Visitor, Visitor]} */ (await Visitor.several(2));
  const room = await her.opens("archive");
  const { client: she } = await her.enters(room);
  const { client: he } = await him.enters(room);
  const seen = (await he.ask("chat:post", { chat: "seen", clientId: "0" })).data.seq;
  he.close();
  const said = await Promise.all(Array.from({ length: 120 }, (_, n) => she.ask("chat:post", { chat: `missed ${n}` })));
  const seqs = said.map(({ data }) => data.seq);

  const back = await him.enters(room, { after: seen });
  const numbers = (/** @type {{ chats: Heard[] }} */ { chats }) => chats.map(({ seq }) => seq);
  assert.deepEqual(numbers(back.welcome), seqs.slice(0, 100));
  assert.equal(back.welcome.more, true);
  const rest = await back.client.ask("chat:get", { after: seqs[99] });
  assert.deepEqual([numbers(rest.data), rest.data.more], [seqs.slice(100), false]);
  const fresh = await him.enters(room);
  assert.deepEqual([numbers(fresh.welcome), fresh.welcome.more], [seqs.slice(-50), true]);

  const before = await back.client.ask("chat:get", { before: seqs[50], limit: 10 });
  assert.deepEqual([numbers(before.data), before.data.more], [seqs.slice(40, 50), true]);
  const page = await him.get(`/room/${room}/chat?after=${seqs[9]}&limit=3`);
  assert.deepEqual([numbers(page.data), page.data.more], [seqs.slice(10, 13), true]);
  const last = await him.get(`/room/${room}/chat?before=3&limit=100`);
  assert.deepEqual([numbers(last.data), last.data.more], [[1, 2], false]);
});

// Who gets in, what greets them, and how their seat is kept and given up.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeAll, Visitor } from "./target.js";

after(closeAll);

test("whoever comes in is greeted first, with the room, the people and what was said", async () => {
  const [her, him] = /** @type {[Visitor, Visitor]} */ (await Visitor.several(2));
  const room = await her.opens("tea", 2);
  const she = await her.enters(room);
  const he = await him.enters(room);

  const { welcome } = he;
  assert.deepEqual(Object.keys(welcome).sort(), ["chats", "more", "people", "room", "you"]);
  assert.deepEqual([welcome.room.id, welcome.room.count, welcome.more], [room, 2, false]);
  assert.deepEqual(welcome.people, [she.welcome.you, welcome.you]);
  assert.deepEqual(Object.keys(welcome.you).sort(), ["color", "hue", "id", "name", "number"]);
  const joined = welcome.chats.at(-1);
  assert.equal(joined.kind, "system");
  assert.deepEqual(joined.system, { code: "joined", person: welcome.you });
  assert.equal(joined.chat, `${welcome.you.name} joined`);

  const join = await she.client.hears("join");
  assert.deepEqual([join.user, join.currentUsers, join.connected], ["system", 2, true]);
  assert.deepEqual(join.person, welcome.you);
  assert.deepEqual([join.chat.id, join.chat.prev], [joined.id, joined.seq - 1]);
});

test("of 50 people who race for 10 places, 10 get in", async () => {
  const people = await Visitor.several(50);
  const room = await /** @type {Visitor} */ (people[0]).opens("race", 10);

  const outcomes = await Promise.allSettled(people.map((person) => person.enters(room)));

  const inside = people.filter((_, index) => outcomes[index]?.status === "fulfilled");
  const refused = outcomes.filter((outcome) => outcome.status === "rejected");
  assert.equal(inside.length, 10);
  assert.deepEqual(
    refused.map(({ reason }) => reason.message),
    Array(40).fill("room_full"),
  );
  const another = await /** @type {Visitor} */ (inside[0]).enters(room); // A tab is no person.
  assert.equal(another.welcome.room.count, 10);
  assert.equal(new Set(another.welcome.people.map((/** @type {any} */ { id }) => id)).size, 10);
});

test("nobody enters a room that is not there", async () => {
  const visitor = await Visitor.new();
  for (const room of ["aaaaaaaaaaaaaaaa", "x", ""]) {
    await assert.rejects(visitor.connects(room), { message: "no_such_room" });
  }
  assert.equal((await visitor.get("/room/aaaaaaaaaaaaaaaa/chat")).status, 404);
});

test("who leaves is gone at once with every tab, and the last one takes the room", async () => {
  const [her, him] = /** @type {[Visitor, Visitor]} */ (await Visitor.several(2));
  const room = await her.opens("farewell", 2);
  const she = await her.enters(room);
  const tab = await him.enters(room);
  const { client: he } = await him.enters(room);

  const left = await he.ask("exit");

  assert.equal(left.ok, true);
  const exit = await she.client.hears("exit");
  assert.deepEqual([exit.user, exit.currentUsers, exit.connected], ["system", 1, false]);
  assert.deepEqual(exit.person, tab.welcome.you);
  assert.equal(exit.chat.system.code, "left");
  await assert.rejects(tab.client.ask("chat:post", { chat: "still?" })); // It is disconnected.

  const lobby = await him.watchesLobby();
  assert.equal((await she.client.ask("exit")).ok, true);
  assert.equal(await lobby.hears("removeRoom"), room);
  assert.equal((await her.get(`/room/${room}/chat`)).status, 404);
  await assert.rejects(him.connects(room), { message: "no_such_room" });
});

test("a dropped connection keeps its seat for the grace, and nobody notices", async () => {
  const [her, him, other] = await Visitor.several(3);
  const room = await /** @type {Visitor} */ (her).opens("tunnel", 2);
  const { client: she } = await /** @type {Visitor} */ (her).enters(room);
  const before = await /** @type {Visitor} */ (him).enters(room);
  await she.hears("join");

  before.client.close();
  await she.ask("chat:post", { chat: "are you there?", clientId: "1" });
  await assert.rejects(/** @type {Visitor} */ (other).connects(room), { message: "room_full" });
  const back = await /** @type {Visitor} */ (him).enters(room);
  await back.client.ask("chat:post", { chat: "a tunnel", clientId: "1" });

  assert.deepEqual(back.welcome.you, before.welcome.you);
  const heard = [await she.next(), await she.next()];
  assert.deepEqual(
    heard.map(([event, data]) => `${event} ${data.chat}`),
    ["chat are you there?", "chat a tunnel"],
  );

  back.client.close();
  const exit = await she.hears("exit"); // The grace is over.
  assert.equal(exit.person.id, before.welcome.you.id);
  await /** @type {Visitor} */ (other).enters(room);
});

test("a room whose last person does not come back is gone after the grace", async () => {
  const visitor = await Visitor.new();
  const room = await visitor.opens("forgotten");
  const lobby = await visitor.watchesLobby();
  const { client } = await visitor.enters(room);
  client.close();
  while ((await lobby.hears("removeRoom")) !== room);
  assert.equal((await visitor.get(`/room/${room}/chat`)).status, 404);
});

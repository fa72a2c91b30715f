// What the lobby promises, to pages, to programs, and live.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeAll, Visitor } from "./target.js";

after(closeAll);

const ROOM = ["id", "title", "max", "count", "colors", "owner", "locked", "createdAt"];
const PERSON = ["id", "color", "hue", "number", "name"];

test("the first response begins a session, and the next ones keep it", async () => {
  const stranger = new Visitor();
  const first = await stranger.get("/", "text/html");
  const [cookie, ...more] = first.headers.getSetCookie();
  assert.deepEqual(more, []);
  const [pair, ...attributes] = (cookie ?? "").split("; ");
  assert.match(pair ?? "", /^huechat\.sid=.{40,}$/);
  for (const attribute of ["HttpOnly", "SameSite=Lax", "Path=/"]) {
    assert.ok(attributes.includes(attribute), `${attribute} is not in ${cookie}`);
  }

  const visitor = new Visitor(pair);
  const rooms = [await visitor.post("/room", { title: "one", max: 2 })];
  rooms.push(await visitor.post("/room", { title: "two", max: 2 }));
  assert.equal(rooms[0]?.data.owner.id, rooms[1]?.data.owner.id);
});

test("a cookie that was tampered with is nobody's", async () => {
  const { cookie = "" } = await Visitor.new();
  const forged = cookie.slice(0, 20) + (cookie[20] === "a" ? "b" : "a") + cookie.slice(21);
  for (const nobody of [undefined, "huechat.sid=forged", forged]) {
    const visitor = new Visitor(nobody);
    await assert.rejects(visitor.watchesLobby(), { message: "unauthorized" });
    await assert.rejects(visitor.connects("aaaaaaaaaaaaaaaa"), { message: "unauthorized" });
  }
});

test("a room that was made is listed", async () => {
  const visitor = await Visitor.new();
  const made = await visitor.post("/room", { title: "  <tea> & 차 ", max: "7" });
  assert.equal(made.status, 201);
  assert.equal(made.headers.get("location"), `/room/${made.data.id}`);
  assert.deepEqual(Object.keys(made.data).sort(), ROOM.toSorted());
  assert.deepEqual(Object.keys(made.data.owner).sort(), PERSON.toSorted());
  const { id, title, max, count, colors, locked } = made.data;
  assert.match(id, /^[a-z2-7]{16}$/);
  assert.match(made.data.owner.id, /^[a-z2-7]{12}$/);
  assert.deepEqual([title, max, count, colors, locked], ["<tea> & 차", 7, 0, [], false]);

  const listed = [];
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const { data } = await visitor.get(`/?page=${page}`);
    assert.ok(data.rooms.length <= 50 && data.total >= 1);
    pages = data.pages;
    listed.push(...data.rooms);
  }
  assert.deepEqual(
    listed.find((room) => room.id === id),
    made.data,
  );
});

test("the liveliest room comes first, as a page too", async () => {
  const people = await Visitor.several(12);
  const [owner] = people;
  const room = await /** @type {Visitor} */ (owner).opens("<b>crowd</b>");
  await Promise.all(people.map((person) => person.enters(room)));

  const { data } = await /** @type {Visitor} */ (owner).get("/");
  const page = await /** @type {Visitor} */ (owner).get("/", "text/html");

  /** @type {number[]} */
  const counts = data.rooms.map((/** @type {{ count: number }} */ { count }) => count);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  );
  const listed = data.rooms.find((/** @type {{ id: string }} */ { id }) => id === room);
  assert.equal(listed.count, 12);
  assert.equal(listed.colors.length, 12);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.ok(page.data.includes(room));
  assert.ok(!page.data.includes("<b>crowd"));
});

test("a form that is wrong is refused with its fields", async () => {
  const visitor = await Visitor.new();
  for (const [form, fields] of /** @type {[object, object][]} */ ([
    [{}, { title: "title_empty", max: "max_not_a_number" }],
    [
      { title: " ", max: 1 },
      { title: "title_empty", max: "max_out_of_range" },
    ],
    [
      { title: "x".repeat(61), max: 501 },
      { title: "title_too_long", max: "max_out_of_range" },
    ],
    [{ title: "tea", max: "ten" }, { max: "max_not_a_number" }],
  ])) {
    const { status, data } = await visitor.post("/room", form);
    assert.deepEqual([status, data.error.code, data.error.fields], [422, "invalid", fields]);
  }
});

test("the lobby hears of a room's life, of changes at most twice a second", async () => {
  const people = await Visitor.several(20);
  const owner = /** @type {Visitor} */ (people[0]);
  const lobby = await owner.watchesLobby();
  const room = await owner.opens("watched");
  /** The next word about this room. @returns {Promise<[string, any]>} */
  const next = async () => {
    for (;;) {
      const [event, data] = await lobby.next();
      if ((data.id ?? data) === room) return [event, data];
    }
  };
  const [first, made] = await next();
  assert.deepEqual([first, made.count], ["newRoom", 0]);

  const begun = performance.now();
  const inside = [];
  for (const person of people) inside.push((await person.enters(room)).client);
  let updates = 0;
  for (let count = 0; count < people.length; updates += 1) {
    const [event, changed] = await next();
    assert.deepEqual([event, changed.count > count], ["updateRoom", true]);
    count = changed.count;
  }
  const seconds = (performance.now() - begun) / 1000;
  assert.ok(updates <= 1 + 2 * seconds, `${updates} updates in ${seconds.toFixed(1)} s`);

  await Promise.all(inside.map((client) => client.ask("exit")));
  let [last, data] = await next();
  while (last === "updateRoom") [last, data] = await next();
  assert.deepEqual([last, data], ["removeRoom", room]);
});

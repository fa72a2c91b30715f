// The server with Socket.IO's own client, over every transport that it has.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client } from "./client.js";
import { Server } from "./server.js";

const WAYS = [
  { over: "polling only", transports: ["polling"], ends: "polling" },
  { over: "WebSocket only", transports: ["websocket"], ends: "websocket" },
  { over: "polling that upgrades", transports: ["polling", "websocket"], ends: "websocket" },
];

for (const { over, transports, ends } of WAYS) {
  describe(over, () => {
    /** @type {Server} */
    let server;
    /** @type {Client[]} */
    let clients = [];
    before(async () => (server = await Server.start()));
    after(async () => {
      for (const client of clients) client.close();
      await server.stop();
    });

    /** @param {string} namespace @param {{ cookie?: string, auth?: object }} options */
    async function connect(namespace, options) {
      const client = await Client.connect(server.url + namespace, { ...options, transports });
      clients.push(client);
      return client;
    }

    test("two people meet, talk and leave, and the lobby sees the room come and go", async () => {
      const [hers, his] = [await server.visitor(), await server.visitor()];
      const lobby = await connect("/room", { cookie: hers });
      const room = await server.makeRoom(hers, { title: "tea", max: 2 });
      assert.equal((await lobby.hears("newRoom")).id, room);

      const she = await connect("/chat", { cookie: hers, auth: { room } });
      const [first, welcome] = await she.next();
      assert.equal(first, "welcome");
      assert.equal(welcome.room.id, room);
      assert.equal(await she.transport(transports.length > 1), ends);
      const he = await connect("/chat", { cookie: his, auth: { room } });
      const himself = (await he.hears("welcome")).you;
      assert.deepEqual((await she.hears("join")).person.id, himself.id);

      const reply = await he.ask("chat:post", { chat: "안녕, <b>tea</b>?", clientId: "1" });
      assert.equal(reply.ok, true);
      assert.equal(reply.data.chat, "안녕, <b>tea</b>?");
      assert.deepEqual((await she.hears("chat")).id, reply.data.id);
      const again = await he.ask("chat:post", { chat: "안녕, <b>tea</b>?", clientId: "1" });
      assert.equal(again.data.seq, reply.data.seq);
      const history = await she.ask("chat:get", { after: reply.data.seq - 1, limit: 1 });
      assert.equal(history.data.chats[0].id, reply.data.id);

      he.ask("exit").catch(() => {}); // The connection may end before its answer comes.
      assert.equal((await she.hears("exit")).currentUsers, 1);
      she.ask("exit").catch(() => {});
      assert.equal(await lobby.hears("removeRoom"), room);
    });

    test("what was missed is in the next welcome", async () => {
      const cookie = await server.visitor();
      const room = await server.makeRoom(cookie, { title: "tunnel", max: 2 });
      const before = await connect("/chat", { cookie, auth: { room } });
      await before.hears("welcome");
      const other = await connect("/chat", { cookie: await server.visitor(), auth: { room } });
      const { data: seen } = await before.ask("chat:post", { chat: "seen", clientId: "1" });
      before.close();
      await other.ask("chat:post", { chat: "missed", clientId: "1" });

      const back = await connect("/chat", { cookie, auth: { room, after: seen.seq } });

      const { chats } = await back.hears("welcome");
      assert.deepEqual(
        chats.map((/** @type {{ chat: string }} */ one) => one.chat),
        ["missed"],
      );
    });

    test("who may not come in is told why by a code", async () => {
      const cookie = await server.visitor();
      const room = await server.makeRoom(cookie, { title: "cellar", max: 2, password: "open" });
      const guest = await server.visitor();
      for (const [options, code] of /** @type {[object, string][]} */ ([
        [{ auth: { room } }, "unauthorized"],
        [{ cookie: "huechat.sid=forged", auth: { room } }, "unauthorized"],
        [{ cookie: guest, auth: { room: "aaaaaaaaaaaaaaaa" } }, "no_such_room"],
        [{ cookie: guest, auth: { room, password: "shut" } }, "wrong_password"],
      ])) {
        await assert.rejects(connect("/chat", options), { message: code });
      }
      await connect("/chat", { cookie: guest, auth: { room, password: "open" } });
      await assert.rejects(connect("/room", {}), { message: "unauthorized" });
    });

    test("a request that is not understood is answered, and the connection lives on", async () => {
      const cookie = await server.visitor();
      const room = await server.makeRoom(cookie, { title: "babel", max: 2 });
      const client = await connect("/chat", { cookie, auth: { room } });
      for (const wrong of [{}, null, undefined, "text", 7, [], { chat: 7 }]) {
        const { ok, error } = await client.ask("chat:post", wrong);
        assert.deepEqual([ok, error.code], [false, "malformed"], JSON.stringify(wrong));
      }
      const nothing = await client.ask("chat:post", { chat: "  " });
      assert.deepEqual([nothing.ok, nothing.error.code], [false, "invalid"]);
      assert.equal((await client.ask("chat:post", { chat: "still here" })).ok, true);
    });
  });
}

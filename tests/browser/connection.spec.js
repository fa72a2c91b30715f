import { io } from "socket.io-client";

import { expect, test } from "./visitor.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */

/**
 * Says many things quickly, in order, as somebody who is in a room.
 * @param {Visitor} visitor
 * @param {string} room
 * @param {string[]} chats
 */
async function sayAll(visitor, room, chats) {
  const { origin, pathname } = new URL(room);
  const cookies = await visitor.page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const id = pathname.split("/").at(-1);
  const socket = io(`${origin}/chat`, { transports: ["websocket"], extraHeaders: { cookie }, auth: { room: id } });
  await new Promise((resolve) => socket.once("welcome", resolve));
  for (let at = 0; at < chats.length; at += 500) {
    await Promise.all(
      chats.slice(at, at + 500).map((chat) => socket.timeout(20_000).emitWithAck("chat:post", { chat })),
    );
  }
  socket.disconnect();
}

test("what is written offline waits, and goes out once when the connection is back", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.enter(room);
  await ann.page.context().setOffline(true);
  await expect(ann.state).toHaveText("offline");
  await expect(ann.page.getByText("You are offline. What you write waits here")).toBeVisible();

  await ann.say("one");
  await ann.say("two");
  await expect(ann.lines.filter({ hasText: "Sending…" })).toHaveCount(2);
  await ben.say("meanwhile");
  await ann.page.context().setOffline(false);
  await ann.live();
  await expect.poll(() => ben.said()).toEqual(["meanwhile", "one", "two"]);
  await expect.poll(() => ann.said()).toEqual(["meanwhile", "one", "two"]);
  await expect(ann.lines.filter({ hasText: "Sending…" })).toHaveCount(0);
  await expect(ben.lines.filter({ hasText: /left|joined/ })).toHaveCount(2); // When they came, and no more.
});

test("whoever was away gets all that was said, in order, before it says live", async ({ invite }) => {
  test.setTimeout(90_000);
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.page.goto(room);
  await ann.page.context().setOffline(true);
  await expect(ann.state).toHaveText("offline");
  const missed = Array.from({ length: 5_000 }, (_, i) => `missed ${i + 1}`);
  await sayAll(ben, room, missed);
  // What is shown at the very moment that it says live.
  const shown = ann.page.evaluate(
    () =>
      new Promise((resolve) => {
        const state = document.querySelector("[data-connection]");
        const watch = new MutationObserver(() => {
          if (state?.getAttribute("data-state") !== "live") return;
          resolve([...document.querySelectorAll(".line__text")].map((text) => text.textContent));
        });
        if (state) watch.observe(state, { attributes: true });
      }),
  );
  await ann.page.context().setOffline(false);
  expect(await shown).toEqual(missed);
  await expect(ann.lines.last()).toBeInViewport();
});

test("a gap in what arrives is found and filled", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (!/^42\/chat,\["chat",.*lost on the way/.test(String(message))) socket.send(message);
    });
    socket.onMessage((message) => server.send(message));
  });
  await ben.enter(room);
  await ann.say("first");
  await ann.say("lost on the way 1");
  await ann.say("lost on the way 2");
  await ann.say("last");
  await expect.poll(() => ben.said()).toEqual(["first", "lost on the way 1", "lost on the way 2", "last"]);
});

test.describe("behind a network that may open a connection every five seconds", () => {
  test.use({ settings: { RATE_HANDSHAKES: "1/5", TRUSTED_PROXIES: "192.0.2.77" } });

  test("a page that opens connections too fast says so, waits as long as it is told, and is live again", async ({
    invite,
  }) => {
    const ann = await invite();
    await ann.open("Tea");
    await ann.page.reload();
    await expect(ann.page.getByText("Too many connections came from here in a short time.")).toBeVisible();
    await expect(ann.state).toHaveText("waiting");
    await expect(ann.page.getByText(/Trying again in \d seconds?\./)).toBeVisible();
    await ann.say("are you there?");
    await ann.live();
    await expect(ann.lines.filter({ hasText: "are you there?" })).toHaveAttribute("data-seq", /\d/);
    await expect(ann.page.locator("[data-trouble]")).toBeHidden();
  });
});

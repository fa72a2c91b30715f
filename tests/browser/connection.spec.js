import { expect, test } from "./visitor.js";

const JSON_ONLY = { Accept: "application/json" };

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
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.enter(room);
  await ann.page.context().setOffline(true);
  await expect(ann.state).toHaveText("offline");
  const missed = Array.from({ length: 320 }, (_, i) => `missed ${i + 1}`);
  for (const chat of missed) await ben.page.request.post(`${room}/chat`, { data: { chat }, headers: JSON_ONLY });
  await ann.page.context().setOffline(false);
  await ann.live();
  expect(await ann.said()).toEqual(missed);
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

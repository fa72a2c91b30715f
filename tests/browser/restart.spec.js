import { expect, test } from "./visitor.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */
/** @typedef {import("@playwright/test").WebSocketRoute} WebSocketRoute */

/** What a server says on a socket before it goes: when to be back. */
const restarting = (/** @type {string} */ namespace, /** @type {number} */ retryAfterMs) =>
  `42${namespace},${JSON.stringify(["error", { code: "restarting", message: "", retryAfterMs }])}`;

/**
 * Every connection that a page opens from now on, with when it did.
 * @param {Visitor} visitor
 */
async function watchConnections(visitor) {
  /** @type {{ socket: WebSocketRoute, at: number }[]} */
  const opened = [];
  await visitor.page.routeWebSocket(/socket\.io/, (socket) => {
    opened.push({ socket, at: Date.now() });
    socket.connectToServer();
  });
  return opened;
}

for (const signal of /** @type {const} */ (["SIGTERM", "SIGKILL"])) {
  test(`a server that ends by ${signal} and comes back loses and doubles nothing`, async ({ server, invite }) => {
    const ann = await invite();
    const ben = await invite();
    const room = await ann.open("Tea");
    await ben.enter(room);
    await ann.say("before");
    await ben.hears("before");
    await server.stop(signal);
    await expect(ann.state).toHaveText(/^re(connect|start)ing$/);
    await expect(ann.page.getByText(/The connection is lost\.|The server is restarting\./)).toBeVisible();
    await expect(ann.page.getByText(/Trying again/)).toBeVisible();
    await ann.say("while it was away");
    await ann.share();
    await ann.say("and so on");
    await server.start();
    // After SIGKILL one is impatient; otherwise both come back by themselves.
    if (signal === "SIGKILL") await ann.page.getByRole("button", { name: "Try now" }).click();
    await ann.live();
    await ben.live();
    await ben.hears("and so on");
    await ben.say("after");
    await ann.hears("after");
    for (const one of [ann, ben]) {
      expect(await one.said()).toEqual(["before", "while it was away", "and so on", "after"]);
      await expect(one.gifs).toHaveCount(1);
      await expect(one.lines.filter({ hasText: /left|joined/ })).toHaveCount(2);
      await expect(one.people).toHaveCount(2);
      await expect(one.page.locator("[data-trouble]")).toBeHidden();
    }
    expect(server.files).toHaveLength(2);
  });
}

test("a room comes back when a restarting server asked it to", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const connections = await watchConnections(ann);
  await ben.enter(await ann.open("Tea"));
  const states = ann.page.evaluate(
    () =>
      new Promise((resolve) => {
        const state = document.querySelector("[data-connection]");
        /** @type {(string | null)[]} */
        const seen = [];
        const watch = new MutationObserver(() => {
          if (seen.at(-1) !== state?.textContent) seen.push(state?.textContent ?? null);
          if (state?.textContent === "live") resolve(seen);
        });
        if (state) watch.observe(state, { childList: true });
      }),
  );
  const [last] = connections.slice(-1);
  const before = connections.length;
  const told = Date.now();
  last?.socket.send(restarting("/chat", 900));
  last?.socket.send("41/chat,");
  await expect.poll(() => connections.length).toBe(before + 1);
  const waited = (connections.at(-1)?.at ?? 0) - told;
  expect(waited).toBeGreaterThanOrEqual(890);
  expect(waited).toBeLessThan(2_500);
  expect(await states).toEqual(["restarting", "catching up", "live"]);
  await ann.say("that was quick");
  await ben.hears("that was quick");
  await expect(ben.lines.filter({ hasText: /left|joined/ })).toHaveCount(2);
});

test("a restart is called a restart for as long as it takes", async ({ server, invite }) => {
  const ann = await invite();
  const connections = await watchConnections(ann);
  await ann.open("Tea");
  connections.at(-1)?.socket.send(restarting("/chat", 300));
  await server.stop();
  await expect(ann.page.getByText("The server is restarting. What you write waits here.")).toBeVisible();
  await expect(ann.state).toHaveText("restarting");
  await expect(ann.page.getByText(/Trying again in \d seconds?\./)).toBeVisible(); // The first try failed.
  await expect(ann.state).toHaveText("restarting");
  await server.start();
  await ann.live();
  await expect(ann.page.locator("[data-trouble]")).toBeHidden();
  // What happens afterwards is no restart any more.
  await server.stop("SIGKILL");
  await expect(ann.state).toHaveText("reconnecting");
});

for (const [code, state, words] of /** @type {const} */ ([
  ["unavailable", "unavailable", "The chat is unavailable just now. What you write waits here."],
  ["restarting", "restarting", "The server is restarting. What you write waits here."],
  ["slow_down", "waiting", "Too many connections came from here in a short time. What you write waits here."],
])) {
  test(`a door that says ${code} is tried again`, async ({ invite }) => {
    const ann = await invite();
    let refuse = false;
    await ann.page.routeWebSocket(/socket\.io/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        if (refuse && String(message).startsWith("40/chat,")) socket.send(`44/chat,{"message":"${code}"}`);
        else server.send(message);
      });
    });
    await ann.open("Tea");
    refuse = true;
    await ann.page.reload();
    await expect(ann.page.getByText(words)).toBeVisible();
    await expect(ann.state).toHaveText(state);
    await expect(ann.page.getByText(/Trying again in \d seconds?\./)).toBeVisible();
    await ann.say("are you there?");
    await expect(ann.lines.filter({ hasText: "Sending…" })).toHaveCount(1);
    refuse = false;
    await ann.live();
    await expect(ann.lines.filter({ hasText: "are you there?" })).toHaveAttribute("data-seq", /\d/);
  });
}

test("the lobby comes back when a restarting server asked it to", async ({ invite }) => {
  const looker = await invite();
  const ann = await invite();
  const connections = await watchConnections(looker);
  await ann.open("Tea");
  const listening = looker.page.waitForRequest((request) => request.headers()["accept"] === "text/html");
  await looker.page.goto("/");
  await listening; // Once it is connected, it asks for the list anew.
  const told = Date.now();
  connections[0]?.socket.send(restarting("/room", 900));
  connections[0]?.socket.send("41/room,");
  await expect.poll(() => connections.length).toBe(2);
  const waited = (connections[1]?.at ?? 0) - told;
  expect(waited).toBeGreaterThanOrEqual(890);
  expect(waited).toBeLessThan(2_500);
  await ann.leave();
  await expect(looker.page.locator("[data-room]")).toHaveCount(0);
});

test("the lobby says that the server is restarting, and is right again afterwards", async ({ server, invite }) => {
  const looker = await invite();
  const ann = await invite();
  const connections = await watchConnections(looker);
  await looker.page.goto("/");
  await expect.poll(() => connections.length).toBe(1);
  await ann.open("Tea");
  await expect(looker.page.locator("[data-room]")).toHaveText([/Tea/]);
  connections[0]?.socket.send(restarting("/room", 300));
  await server.stop();
  await expect(looker.page.getByRole("status")).toContainText("the server is restarting");
  await server.start();
  await ann.live();
  await ann.leave();
  await expect(looker.page.getByRole("status")).toContainText("live again");
  await expect(looker.page.locator("[data-room]")).toHaveCount(0);
});

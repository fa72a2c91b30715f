import { expect, test } from "./visitor.js";
import { gif } from "./gifs.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */

const SHARING = /\/room\/[a-z2-7]+\/gif$/;
const LARGE = gif({ width: 600, height: 400, frames: 20, noise: true });

/** @param {Visitor} visitor */
function waiting(visitor) {
  return visitor.lines.filter({ has: visitor.page.locator("[data-sending]:not([hidden])") });
}

/**
 * What is said, in its order: texts, and `GIF` for each that has its place.
 * @param {Visitor} visitor
 */
function talk(visitor) {
  return visitor.log
    .locator(".line__text, .gif img[alt^='GIF from']")
    .evaluateAll((parts) => parts.map((part) => (part instanceof HTMLImageElement ? "GIF" : part.textContent)));
}

/**
 * Which GIFs the browser keeps to send them later.
 * @param {Visitor} visitor
 */
function kept(visitor) {
  return visitor.page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("huechat");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const asking = opening.result.transaction("gifs").objectStore("gifs").getAllKeys();
          asking.onsuccess = () => resolve(asking.result);
        };
      }),
  );
}

/**
 * Answers each `chat:post` with a refusal as long as `refusal` gives one.
 * @param {Visitor} visitor
 * @param {() => string | null} refusal
 */
async function refuseChats(visitor, refusal) {
  await visitor.page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => socket.send(message));
    socket.onMessage((message) => {
      const post = /^42\/chat,(\d+)\["chat:post"/.exec(String(message));
      const code = post && refusal();
      if (!code) return server.send(message);
      socket.send(`43/chat,${post[1]}[{"ok":false,"error":{"code":"${code}","message":""}}]`);
    });
  });
}

test("a message that waits survives a reload, and is shown once", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.enter(room);
  // The server hears it, and its answer never comes.
  await ann.page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (!String(message).startsWith("43/chat,")) socket.send(message);
    });
    socket.onMessage((message) => server.send(message));
  });
  await ann.page.reload();
  await ann.live();
  await ann.composer.fill("did you get this?");
  await ann.composer.press("Enter");
  await ben.hears("did you get this?");
  await ann.page.reload();
  await ann.live();
  await expect.poll(() => ann.said()).toEqual(["did you get this?"]);
  await ann.say("and this?");
  await ben.hears("and this?");
  expect(await ben.said()).toEqual(["did you get this?", "and this?"]);
  await expect.poll(() => ann.said()).toEqual(["did you get this?", "and this?"]);
});

test("a GIF that waits survives a reload, keeps its place, and is shown once", async ({ server, invite }) => {
  const ann = await invite();
  const ben = await invite();
  await ben.enter(await ann.open("Tea"));
  /** @type {import("@playwright/test").Route[]} */
  const tries = [];
  await ann.page.route(SHARING, (route) => void tries.push(route)); // None is answered until we say so.
  await ann.say("before");
  await ann.share();
  await ann.say("after");
  const preview = ann.log.getByRole("img", { name: "What you are about to share" });
  await expect(waiting(ann)).toHaveCount(2);
  await expect(preview).toBeVisible();
  await expect.poll(() => tries.length).toBe(1);
  expect(await talk(ben)).toEqual(["before"]);

  await ann.page.reload();
  await ann.live();
  await expect(waiting(ann)).toHaveCount(2);
  await expect(preview).toBeVisible();
  await expect.poll(() => tries.length).toBe(2);
  const [first, second] = tries.map(
    (route) => /\r\n\r\n(\d+-\d+-\d+-\d+)\r\n/.exec(route.request().postData() ?? "")?.[1],
  );
  expect(second).toMatch(/\d/);
  expect(second).toBe(first);
  await tries[1]?.continue();
  for (const one of [ann, ben]) await expect.poll(() => talk(one)).toEqual(["before", "GIF", "after"]);
  await expect(waiting(ann)).toHaveCount(0);
  await expect(preview).toHaveCount(0);
  await expect.poll(() => kept(ann)).toEqual([]);

  await ann.page.reload();
  await ann.live();
  expect(await talk(ann)).toEqual(["before", "GIF", "after"]);
  expect(server.files).toHaveLength(2);
});

test("a GIF that was under way as the connection went goes out once when it is back", async ({ server, invite }) => {
  const ann = await invite();
  const ben = await invite();
  await ben.enter(await ann.open("Tea"));
  // The server has it, and its answer is lost with the connection.
  await ann.page.route(
    SHARING,
    async (route) => {
      await route.fetch();
      await ann.page.context().setOffline(true);
      await route.abort("internetdisconnected");
    },
    { times: 1 },
  );
  await ann.page.routeWebSocket(/socket\.io/, (socket) => {
    const live = socket.connectToServer();
    live.onMessage((message) => {
      if (!/^42\/chat,\["chat",.*"kind":"gif"/.test(String(message))) socket.send(message);
    });
    socket.onMessage((message) => live.send(message));
  });
  await ann.page.reload();
  await ann.live();
  await ann.share();
  await expect(ann.state).toHaveText("offline");
  await ben.gifs.waitFor();
  await ann.say("after");
  await expect(ann.lines.filter({ hasText: "It did not go through." })).toHaveCount(0);
  await ann.page.context().setOffline(false);
  for (const one of [ann, ben]) await expect.poll(() => talk(one)).toEqual(["GIF", "after"]);
  await expect(waiting(ann)).toHaveCount(0);
  expect(server.files).toHaveLength(2);
});

test("an upload shows how far it is, and can be cancelled half way", async ({ server, invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  // A network slow enough to see it.
  const network = await ann.page.context().newCDPSession(ann.page);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 60_000 };
  await network.send("Network.emulateNetworkConditions", slow);
  expect(LARGE.length).toBeGreaterThan(300_000);
  await ann.share(LARGE);
  await ann.say("after");
  const progress = ann.log.getByRole("progressbar", { name: "Sent so far" });
  await expect.poll(() => progress.evaluate((/** @type {HTMLProgressElement} */ bar) => bar.value)).toBeGreaterThan(5);
  await expect(waiting(ann).first()).toContainText(/Sending…\s*\d+%/);
  const cancelled = ann.page.waitForEvent("requestfailed", (request) => SHARING.test(request.url()));
  await ann.log.getByRole("button", { name: "Cancel" }).click();
  await cancelled;
  await expect.poll(() => talk(ann)).toEqual(["after"]);
  await expect.poll(() => kept(ann)).toEqual([]);
  await network.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
  await ann.share();
  await expect(ann.gifs).toHaveCount(1);
  expect(server.files).toHaveLength(2);
});

test("a GIF the server refuses says why, holds nothing up, and can be tried again and discarded", async ({
  invite,
}) => {
  const ann = await invite();
  await ann.open("Tea");
  const whole = gif();
  await ann.share(whole.subarray(0, whole.length - 120)); // Browsers show the frames that are there.
  await ann.say("after");
  const line = ann.lines.filter({ hasText: "This GIF is damaged or too big to show. Please choose another one." });
  await expect(line.getByRole("img", { name: "What you are about to share" })).toBeVisible();
  await expect(ann.lines.filter({ hasText: "after" })).toHaveAttribute("data-seq", /\d/);

  // Sending it again would not change anything: that is not done without being asked.
  let sent = 0;
  ann.page.on("request", (request) => SHARING.test(request.url()) && (sent += 1));
  await ann.page.reload();
  await ann.say("later");
  await expect(ann.lines.filter({ hasText: "later" })).toHaveAttribute("data-seq", /\d/);
  await expect(line).toBeVisible();
  expect(sent).toBe(0);
  const again = ann.page.waitForResponse((response) => SHARING.test(response.url()));
  await line.getByRole("button", { name: "Try again" }).click();
  expect((await again).status()).toBe(422);
  await line.getByRole("button", { name: "Discard" }).click();
  await expect(line).toHaveCount(0);
  await expect.poll(() => kept(ann)).toEqual([]);
});

test("where nothing can be kept a GIF is shared all the same, and a reload says that it is gone", async ({
  invite,
}) => {
  const ann = await invite();
  await ann.page.addInitScript(() => {
    Object.defineProperty(window, "indexedDB", {
      get() {
        throw new DOMException("not in a private window", "SecurityError");
      },
    });
  });
  await ann.open("Tea");
  await ann.share();
  await expect(ann.gifs).toHaveCount(1);

  await ann.page.route(SHARING, () => {}); // It is never answered.
  await ann.share();
  await expect(waiting(ann)).toHaveCount(1);
  await ann.page.reload();
  const line = ann.lines.filter({ hasText: "This GIF is not here any more. Please choose it again." });
  await expect(line).toHaveCount(1);
  await line.getByRole("button", { name: "Discard" }).click();
  await expect(line).toHaveCount(0);
});

test("a GIF whose tab was closed is kept for a day, and no longer", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Tea");
  await ann.page.route(SHARING, () => {}); // It is never answered.
  await ann.share();
  await expect.poll(() => kept(ann)).toHaveLength(1);
  const tab = await ann.anotherTab();
  await ann.page.close();
  const hour = 60 * 60_000;
  await tab.page.clock.setFixedTime(Date.now() + 23 * hour);
  await tab.enter(room);
  expect(await kept(tab)).toHaveLength(1);
  await tab.page.clock.setFixedTime(Date.now() + 25 * hour);
  await tab.enter(room);
  await expect.poll(() => kept(tab)).toEqual([]);
});

test("a message the server refuses says why, can be tried again, and can be discarded", async ({ invite }) => {
  const ann = await invite();
  let refuse = true;
  await refuseChats(ann, () => (refuse ? "not_in_room" : null));
  await ann.open("Tea");
  await ann.say("milk");
  await ann.say("sugar");
  const [milk, sugar] = [ann.lines.filter({ hasText: "milk" }), ann.lines.filter({ hasText: "sugar" })];
  await expect(milk).toContainText("You are not in this room any more.");
  await sugar.getByRole("button", { name: "Discard" }).click();
  await expect(sugar).toHaveCount(0);
  refuse = false;
  await milk.getByRole("button", { name: "Try again" }).click();
  await expect(milk).toHaveAttribute("data-seq", /\d+/);
  await ann.page.reload();
  await ann.live();
  expect(await ann.said()).toEqual(["milk"]);
});

test("a chat that is unavailable is waited out, by itself or when the author says so", async ({ invite }) => {
  const ann = await invite();
  let refuse = true;
  await refuseChats(ann, () => (refuse ? "unavailable" : null));
  await ann.open("Tea");
  await ann.say("milk");
  await ann.say("sugar");
  const milk = ann.lines.filter({ hasText: "milk" });
  await expect(milk).toContainText(/The chat is unavailable just now\.\s*Goes out in \d+ seconds?\./);
  refuse = false;
  await expect(ann.lines.filter({ hasText: "sugar" })).toHaveAttribute("data-seq", /\d+/);
  expect(await ann.said()).toEqual(["milk", "sugar"]);

  refuse = true;
  await ann.say("lemon");
  const lemon = ann.lines.filter({ hasText: "lemon" });
  await expect(lemon).toContainText(/Goes out in \d+ seconds?\./);
  refuse = false;
  await lemon.getByRole("button", { name: "Try again" }).click();
  await expect(lemon).toHaveAttribute("data-seq", /\d+/);
});

test("a message that nobody answers is sent again by itself", async ({ invite }) => {
  const ann = await invite();
  let swallowed = 0;
  await ann.page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => socket.send(message));
    socket.onMessage((message) => {
      if (/"chat:post"/.test(String(message)) && swallowed++ === 0) return;
      server.send(message);
    });
  });
  await ann.open("Tea");
  await ann.say("anybody there?");
  const line = ann.lines.filter({ hasText: "anybody there?" });
  await expect(line).toContainText(/No answer yet\.\s*Goes out in \d+ seconds?\./);
  await expect(line).toHaveAttribute("data-seq", /\d+/);
  expect(await ann.said()).toEqual(["anybody there?"]);
});

test("a GIF that cannot be stored just now waits, and goes out by itself", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  const error = { code: "unavailable", message: "" };
  await ann.page.route(SHARING, (route) => route.fulfill({ status: 503, json: { error } }), { times: 1 });
  await ann.share();
  await ann.say("after");
  const line = ann.lines.filter({ hasText: "The chat is unavailable just now." });
  await expect(line).toContainText(/Goes out in \d+ seconds?\./);
  await expect(line.getByRole("button", { name: "Try again" })).toBeVisible();
  await expect.poll(() => talk(ann)).toEqual(["GIF", "after"]);
});

test.describe("with narrow limits", () => {
  test.use({ settings: { RATE_CHATS: "3/6", RATE_GIFS: "1/4" } });

  test("whoever is too fast waits as long as the server says, and nothing is lost", async ({ invite }) => {
    const ann = await invite();
    await ann.open("Tea");
    for (const chat of ["milk", "sugar", "lemon", "ginger", "biscuit"]) await ann.say(chat);
    const line = ann.lines.filter({ hasText: "A little fast." });
    await expect(line).toHaveCount(1);
    await expect(line).toContainText(/ginger.*Goes out in \d seconds?\./s);
    await expect(line.getByRole("button", { name: "Try again" })).toBeHidden();
    await ann.page.reload(); // What was waiting goes out after that as well.
    await expect(line.getByRole("button", { name: "Discard" })).toBeVisible();
    await expect(ann.lines.filter({ hasText: "biscuit" })).toHaveAttribute("data-seq", /\d/);
    expect(await ann.said()).toEqual(["milk", "sugar", "lemon", "ginger", "biscuit"]);
  });

  test("what waits because it was too fast can be discarded, and the next goes out", async ({ invite }) => {
    const ann = await invite();
    await ann.open("Tea");
    for (const chat of ["milk", "sugar", "lemon", "oops", "ginger"]) await ann.say(chat);
    const line = ann.lines.filter({ hasText: "oops" });
    await expect(line).toContainText("A little fast.");
    await line.getByRole("button", { name: "Discard" }).click();
    await expect(ann.lines.filter({ hasText: "ginger" })).toHaveAttribute("data-seq", /\d/);
    expect(await ann.said()).toEqual(["milk", "sugar", "lemon", "ginger"]);
  });

  test("GIFs one after another wait for one another", async ({ server, invite }) => {
    const ann = await invite();
    await ann.open("Tea");
    await ann.share(LARGE);
    await ann.share();
    await ann.say("after");
    await expect(ann.lines.filter({ hasText: "A little fast." })).toContainText(/Goes out in \d seconds?\./);
    await expect.poll(() => talk(ann)).toEqual(["GIF", "GIF", "after"]);
    expect(server.files).toHaveLength(4);
  });
});

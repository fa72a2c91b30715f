// What is left of a conversation in the browser of somebody who was there: nothing.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "@playwright/test";

import { file, gif } from "./gifs.js";
import { expect, test, Visitor } from "./visitor.js";

/** @typedef {import("@playwright/test").Page} Page */

/** What the tab keeps for later. @param {Page} page */
function kept(page) {
  return page.evaluate(() => Object.entries(sessionStorage).flat().join(" "));
}

/** How many GIFs the browser keeps to send them later. @param {Page} page */
function keptGifs(page) {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("huechat");
        opening.onupgradeneeded = () => opening.result.createObjectStore("gifs");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const counting = opening.result.transaction("gifs").objectStore("gifs").count();
          counting.onsuccess = () => {
            opening.result.close();
            resolve(counting.result);
          };
        };
      }),
  );
}

/** Refuses every message until it is asked to stop. @param {Page} page */
async function refuseMessages(page) {
  let refuses = true;
  await page.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => socket.send(message));
    socket.onMessage((message) => {
      const post = /^42\/chat,(\d+)\["chat:post"/.exec(String(message));
      if (!post || !refuses) return server.send(message);
      socket.send(`43/chat,${post[1]}[{"ok":false,"error":{"code":"unavailable","message":""}}]`);
    });
  });
  await page.route(/\/room\/[a-z2-7]+\/gif$/, (route) => (refuses ? route.abort() : route.continue()));
  return () => (refuses = false);
}

/**
 * The file as its owner has it, with a comment, which the server drops.
 * @param {Buffer} content
 * @param {string} comment
 */
function withComment(content, comment) {
  const extension = Buffer.concat([Buffer.from([0x21, 0xfe, comment.length]), Buffer.from(comment), Buffer.from([0])]);
  return Buffer.concat([content.subarray(0, -1), extension, content.subarray(-1)]);
}

/**
 * Leaves half a message, an unsent message and an unsent GIF in a room.
 * @param {Visitor} visitor
 * @param {string} marker
 */
async function leaveUnsent(visitor, marker) {
  await visitor.say(`${marker}-unsent`);
  await visitor.page.locator("[data-gif-file]").setInputFiles(file("some.gif", withComment(gif(), marker)));
  await visitor.preview.getByRole("button", { name: "Share" }).click();
  await visitor.composer.fill(`${marker}-draft`);
  await expect.poll(() => keptGifs(visitor.page)).toBe(1);
}

test("after leaving, Back shows nothing of the conversation", async ({ invite }) => {
  const [ann, ben] = [await invite(), await invite()];
  const room = await ann.open("Tea");
  await ben.enter(room);
  await ann.say("the kettle is on");
  await ann.share();
  await expect(ben.gifs).toHaveCount(1);
  for (const guest of [ann, ben]) {
    await guest.leave(); // The second one closes the room.
    await guest.page.goBack();
    await guest.page.waitForLoadState();
    await expect(guest.page.locator("body")).toBeVisible();
    expect(new URL(guest.page.url()).pathname).not.toBe(new URL(room).pathname);
    await expect(guest.page.getByText("the kettle is on")).toHaveCount(0);
    await expect(guest.page.locator("[data-gif]")).toHaveCount(0);
  }
});

test("a page that is left empties itself, and comes back as it is now", async ({ invite }) => {
  const [ann, ben] = [await invite(), await invite()];
  const room = await ann.open("Tea");
  await ben.enter(room);
  await ann.say("the kettle is on");
  await ann.share();
  await ann.composer.fill("half a message");
  await ann.hears("the kettle is on");
  await expect(ann.gifs).toHaveCount(1);
  await ann.page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));

  const left = await ann.page.evaluate(() => document.documentElement.innerHTML);
  expect(left.includes("the kettle is on")).toBe(false);
  expect(await ann.page.evaluate(() => document.body.innerText.trim())).toBe("");
  expect(await ann.page.title()).not.toContain("Tea");
  await expect(ann.page.locator("img, textarea, input")).toHaveCount(0);

  await ben.say("it boils");
  const loaded = ann.page.waitForEvent("load");
  await ann.page.evaluate(() => {
    setTimeout(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  });
  await loaded;
  await ann.live();
  await ann.hears("the kettle is on");
  await ann.hears("it boils");
  await expect(ann.composer).toHaveValue("half a message");
});

test("a page that comes back after its room is gone says so", async ({ invite }) => {
  const [ann, ben] = [await invite(), await invite()];
  const room = await ann.open("Tea");
  await ben.enter(room);
  await ben.say("the kettle is on");
  await ben.hears("the kettle is on");
  await ben.page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
  expect((await ann.page.request.delete(room)).status()).toBe(204);
  await ben.page.evaluate(() => {
    setTimeout(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  });
  await expect(ben.page).toHaveURL(/\/\?error=no_such_room/);
  await expect(ben.page.getByText("the kettle is on")).toHaveCount(0);
});

test("a deleted GIF does not come from the cache", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.share();
  const url = await ann.gifs.evaluate((/** @type {HTMLImageElement} */ img) => img.currentSrc.replace(/png$/, "gif"));
  const status = () => ann.page.evaluate(async (url) => (await fetch(url, { cache: "force-cache" })).status, url);
  expect(await status()).toBe(200);
  await ann.lines.last().hover();
  await ann.page.getByRole("button", { name: "Delete" }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(ann.gifs).toHaveCount(0);
  expect(await status()).toBe(404);
});

test("what is written is kept in the browser only while its page is away", async ({ invite }) => {
  const ann = await invite();
  await refuseMessages(ann.page);
  await ann.open("Tea");
  await leaveUnsent(ann, "tea");
  expect(await kept(ann.page)).toBe("");
  await ann.page.reload();
  await ann.live();
  await expect(ann.composer).toHaveValue("tea-draft");
  await expect(ann.lines.filter({ hasText: "tea-unsent" })).toHaveCount(1);
  expect(await kept(ann.page)).toBe("");
});

/**
 * @param {Visitor} guest
 * @param {Visitor} host
 */
async function kick(guest, host) {
  const name = await guest.name();
  await host.people.filter({ hasText: name }).getByRole("button").click();
  await host.page.getByRole("dialog", { name }).getByRole("button", { name: "Remove from the room" }).click();
}

for (const [how, ends] of /** @type {[string, (ann: Visitor, ben: Visitor) => Promise<unknown>][]} */ ([
  ["leaves", (ann) => ann.leave()],
  ["is kicked", kick],
  ["is in a room that is closed", (_, ben) => ben.page.request.delete(ben.page.url())],
])) {
  test(`of somebody who ${how}, the tab keeps no unsent words`, async ({ invite }) => {
    const [ann, ben] = [await invite(), await invite()];
    await refuseMessages(ann.page);
    const room = await ben.open("Tea");
    await ann.enter(room);
    await leaveUnsent(ann, "tea");
    await ends(ann, ben);
    if (how !== "leaves") await expect(ann.state).toHaveText("ended");
    await expect.poll(() => keptGifs(ann.page)).toBe(0);
    await ann.page.goto("/");
    expect(await kept(ann.page)).toBe("");
    expect(await keptGifs(ann.page)).toBe(0);
  });
}

test("of a room that went while its page was away, the tab keeps no unsent words", async ({ invite }) => {
  const [ann, ben] = [await invite(), await invite()];
  await refuseMessages(ann.page);
  const room = await ben.open("Tea");
  await ann.enter(room);
  await leaveUnsent(ann, "tea");
  await ann.page.goto("about:blank");
  expect((await ben.page.request.delete(room)).status()).toBe(204);
  await ann.page.goto(room);
  await expect(ann.page).toHaveURL(/\/\?error=no_such_room/);
  await expect.poll(() => kept(ann.page)).toBe("");
  await expect.poll(() => keptGifs(ann.page)).toBe(0);
});

test("the browser's profile holds no word of a room that is gone", async ({ server }) => {
  test.slow();
  const profile = mkdtempSync(join(tmpdir(), "huechat-profile-"));
  const marker = `kettle${Date.now()}`;
  const context = await openProfile(profile, server.url);
  const ann = new Visitor(context.pages()[0] ?? (await context.newPage()));
  const sends = await refuseMessages(ann.page);
  const room = new URL(await ann.open("Tea")).pathname.split("/").at(-1) ?? "";
  await leaveUnsent(ann, marker);
  await ann.page.reload();
  await ann.live();
  sends();
  await ann.composer.press("Enter");
  for (const words of [`${marker}-unsent`, `${marker}-draft`]) await ann.hears(words);
  await expect(ann.gifs).toHaveCount(1);
  await ann.leave();
  expect(server.files).toEqual([]);
  // Chromium deletes the file of a GIF that waited when no page has it in its memory any more.
  await ann.page.requestGC();
  const waited = () => filesBelow(join(profile, "Default", "IndexedDB")).filter((path) => /[.]blob[/]/.test(path));
  await expect.poll(waited, { timeout: 30_000 }).toEqual([]);
  await context.close();

  const traces = filesBelow(profile).filter((path) => {
    const content = readFileSync(path);
    const isCached = /[/]Cache[/]/.test(path) && content.includes(room);
    return isCached || content.includes(marker) || content.includes(Buffer.from(marker, "utf16le"));
  });
  expect(traces).toEqual([]);
  rmSync(profile, { recursive: true });
});

/**
 * A browser with a profile on the disk, as people have it.
 * @param {string} profile
 * @param {string} baseURL
 */
function openProfile(profile, baseURL) {
  const { CHROMIUM, CHROMIUM_WITH_WINDOWS = CHROMIUM } = process.env;
  return chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM_WITH_WINDOWS ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run"],
    locale: "en-GB",
    baseURL,
  });
}

/** @param {string} folder */
function filesBelow(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

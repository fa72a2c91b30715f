// People: each in a browser context of their own, so that nothing is shared between them.

import { randomBytes } from "node:crypto";

import { test as base, expect } from "@playwright/test";

import { file, gif } from "./gifs.js";
import { Server } from "./server.js";

export { expect };

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("@playwright/test").BrowserContextOptions} Options */
/** @typedef {(options?: Options) => Promise<Visitor>} Invite */

/** @returns {Record<string, string>} */
function storeOf(/** @type {string} */ project) {
  if (project !== "mongo") return {};
  const uri = process.env.HUECHAT_TEST_MONGODB_URI;
  if (!uri) throw new Error("HUECHAT_TEST_MONGODB_URI is not set: where is the MongoDB to test with?");
  return { MONGODB_URI: `${uri}/browser_${randomBytes(6).toString("hex")}` };
}

/** @type {import("@playwright/test").TestType<import("@playwright/test").PlaywrightTestArgs & import("@playwright/test").PlaywrightTestOptions & { settings: Record<string, string>, server: Server, invite: Invite }, import("@playwright/test").PlaywrightWorkerArgs & import("@playwright/test").PlaywrightWorkerOptions>} */
export const test = base.extend({
  settings: [{}, { option: true }],
  server: async ({ settings }, use, info) => {
    const server = new Server({ ...storeOf(info.project.name), ...settings });
    await server.start();
    await use(server);
    await server.remove();
    expect(server.log, "the server panicked").not.toContain("panicked at");
  },
  invite: async ({ browser, server }, use) => {
    /** @type {Visitor[]} */
    const guests = [];
    await use(async (options = {}) => {
      const settings = {
        locale: "en-GB",
        timezoneId: "Europe/Berlin",
        viewport: { width: 1280, height: 800 },
        ...options,
      };
      const context = await browser.newContext({ baseURL: server.url, ...settings });
      const guest = new Visitor(await context.newPage());
      guests.push(guest);
      return guest;
    });
    for (const guest of guests) await guest.page.context().close();
    expect(
      guests.flatMap((guest) => guest.complaints),
      "a page complained",
    ).toEqual([]);
  },
});

export class Visitor {
  /** What the browser says of broken scripts and of what the page may not do. @type {string[]} */
  complaints = [];

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.listenTo(page);
  }

  /** @param {Page} page */
  listenTo(page) {
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      const network = /Failed to load resource|WebSocket connection to|net::ERR/.test(message.text());
      if (message.type() === "error" && !network) this.complaints.push(message.text());
    });
  }

  /** The same person once more. */
  async anotherTab() {
    const tab = new Visitor(await this.page.context().newPage());
    tab.complaints = this.complaints;
    return tab;
  }

  get composer() {
    return this.page.getByRole("textbox", { name: /^(Message|메시지)$/ });
  }

  get log() {
    return this.page.getByRole("log");
  }

  get lines() {
    return this.log.locator("[data-lines] > li");
  }

  /** GIFs of the conversation that have their place. */
  get gifs() {
    return this.log.getByRole("img", { name: /^GIF from/ });
  }

  get preview() {
    return this.page.getByRole("dialog", { name: "Share this GIF?" });
  }

  get people() {
    return this.page.locator("[data-people] > li");
  }

  get state() {
    return this.page.locator("[data-connection]");
  }

  /** What they are called in the room they are in. */
  async name() {
    const mine = this.people.filter({ has: this.page.locator("[data-you]:not([hidden])") });
    return mine.locator("[data-name]").innerText();
  }

  /**
   * Opens a room by the form, and waits until it is live.
   * @param {string} title
   * @param {{ max?: string, password?: string }} [more]
   * @returns {Promise<string>} Its address.
   */
  async open(title, { max, password } = {}) {
    await this.page.goto("/room");
    await this.page.locator("#title").fill(title);
    if (max !== undefined) await this.page.locator("#max").fill(max);
    if (password !== undefined) await this.page.locator("#password").fill(password);
    await this.page.locator("[data-new-room] button[type=submit]").click();
    await this.page.waitForURL(/\/room\/[a-z2-7]{16}$/);
    await this.live();
    return this.page.url();
  }

  /** @param {string} url */
  async enter(url) {
    await this.page.goto(url);
    await this.live();
  }

  async live() {
    await expect(this.state).toHaveAttribute("data-state", "live");
  }

  /** @param {string} words */
  async say(words) {
    await this.composer.fill(words);
    await this.composer.press("Enter");
  }

  /** @param {Buffer} [content] */
  async share(content = gif()) {
    await this.page.locator("[data-gif-file]").setInputFiles(file("some.gif", content));
    await this.preview.getByRole("button", { name: "Share" }).click();
    await expect(this.preview).toBeHidden();
  }

  /** The texts in the log, without what happened. */
  said() {
    return this.lines.locator(".line__text").allInnerTexts();
  }

  /** @param {string | RegExp} words */
  async hears(words) {
    await expect(this.lines.filter({ hasText: words })).toHaveCount(1);
  }

  async leave() {
    await this.page.locator("[data-leave] button").click();
    await this.page.waitForURL((url) => url.pathname === "/");
  }
}

/**
 * Ann, who owns the room, and two guests.
 * @param {Invite} invite
 */
export async function three(invite) {
  const [ann, ben, cleo] = [await invite(), await invite(), await invite()];
  const room = await ann.open("Tea");
  for (const guest of [ben, cleo]) await guest.enter(room);
  for (const one of [ann, ben, cleo]) await expect(one.people).toHaveCount(3);
  return { ann, ben, cleo, room };
}

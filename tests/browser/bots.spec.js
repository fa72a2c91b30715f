import { spawn } from "node:child_process";
import { dirname, join } from "node:path";

import { AxeBuilder } from "@axe-core/playwright";

import { expect, test } from "./visitor.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */

const BINARY = process.env.HUECHAT_BIN ?? "target/debug/huechat";
const DICE = join(dirname(BINARY), "examples", "dice_bot");
const PYTHON = process.env.HUECHAT_TEST_PYTHON ?? ".venv/bin/python";
const PHONE = { width: 390, height: 844 };
const MAKE = "Make a token";

/**
 * Makes a token on the page, and reads it there.
 * @param {Visitor} visitor
 * @param {string} name
 */
async function makeToken({ page }, name) {
  await page.goto("/token");
  await page.getByLabel("What do you call it?").fill(name);
  await page.getByRole("button", { name: MAKE }).click();
  const token = await page.getByRole("textbox", { name: "Token" }).inputValue();
  expect(token).toMatch(/^huechat_[\w-]{43}$/);
  return token;
}

/** @type {import("node:child_process").ChildProcess[]} */
const running = [];
test.afterEach(() => {
  for (const bot of running.splice(0)) bot.kill();
});

/**
 * Runs a bot until the test ends.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} env
 */
function run(command, args, env) {
  running.push(spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: "inherit" }));
}

test("both example bots talk in a room, and the page shows what they are", async ({ invite, server }) => {
  test.setTimeout(90_000);
  const [ann, maker] = [await invite(), await invite()];
  const room = await ann.open("Games");
  const id = room.split("/").at(-1) ?? "";
  const gateway = `${server.url.replace("http", "ws")}/gateway`;

  run(DICE, [gateway, id], { HUECHAT_TOKEN: await makeToken(maker, "dice") });
  await expect(ann.people).toHaveCount(2);
  const welcoming = { HUECHAT_GATEWAY: gateway, HUECHAT_ROOM: id, HUECHAT_TOKEN: await makeToken(maker, "welcome") };
  run(PYTHON, ["examples/welcome_bot.py"], welcoming);
  await expect(ann.people).toHaveCount(3);
  const badges = ann.people.locator("[data-bot]:not([hidden])");
  await expect(badges).toHaveText(["bot", "bot"]);

  await ann.say("/roll 2d6");
  const thrown = ann.lines.filter({ hasText: /🎲 2d6: \d \+ \d = \d+/ });
  await expect(thrown).toHaveCount(1);
  await expect(thrown.locator("[data-bot]")).toHaveText("bot");
  const ben = await invite();
  await ben.enter(room);
  const welcome = ann.lines.filter({ hasText: `Welcome, @${await ben.name()}!` });
  await expect(welcome).toHaveCount(1);
  await expect(welcome.locator("[data-bot]")).toBeVisible();
  await expect(ann.lines.filter({ hasText: "/roll" }).locator("[data-bot]")).toBeHidden();
  await expect(ann.lines.filter({ hasText: "(bot) joined" })).toHaveCount(2);

  // The server restarts: they are back, and say nothing twice.
  await server.stop();
  await server.start();
  await ann.live();
  await ann.say("/roll d20");
  await expect(ann.lines.filter({ hasText: /🎲 1d20/ })).toHaveCount(1);
  await ben.page.reload();
  await ben.live();
  await expect(ben.people.locator("[data-bot]:not([hidden])")).toHaveCount(2);
  await expect(ben.lines.filter({ hasText: /Welcome, @/ })).toHaveCount(1);
  await expect(ben.lines.filter({ hasText: "🎲 2d6" }).locator("[data-bot]")).toBeVisible();

  // Without its token a bot leaves at once.
  await maker.page.goto("/token");
  await maker.page.getByRole("button", { name: "Revoke the token of “dice”" }).click();
  await expect(ann.people).toHaveCount(3);
  await expect(maker.page.getByRole("listitem")).toHaveCount(1);
});

test("a visitor makes tokens and revokes them, with the keyboard alone and on a phone", async ({ invite }) => {
  const ann = await invite({ viewport: PHONE, permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = ann;
  await page.goto("/");
  await page.getByRole("link", { name: "Connect a bot" }).press("Enter");
  await expect(page.getByText("You have none yet.")).toBeVisible();

  const name = page.getByLabel("What do you call it?");
  await name.fill("x".repeat(31));
  await name.press("Enter");
  await expect(page.getByText("Please keep it to 30 characters.")).toBeVisible();
  await expect(name).toBeFocused();
  await expect(name).toHaveValue("x".repeat(31));
  await name.fill("dice");
  await name.press("Enter");
  await expect(page.getByRole("heading", { name: "The token of “dice”" })).toBeFocused();

  const token = await page.getByRole("textbox", { name: "Token" }).inputValue();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(PHONE.width);
  if (process.env.HUECHAT_PICTURES)
    await page.screenshot({ path: `${process.env.HUECHAT_PICTURES}/tokens-phone.png`, fullPage: true });

  await page.goto("/token");
  await expect(page.getByText(token)).toHaveCount(0);
  await page.getByRole("button", { name: "Revoke the token of “dice”" }).press("Enter");
  await expect(page.getByText("You have none yet.")).toBeVisible();
  await page.getByRole("link", { name: "All rooms" }).press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
});

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`axe finds nothing on the page of bots in the ${colorScheme} theme`, async ({ invite }) => {
    const { page } = await invite({
      colorScheme,
      reducedMotion: "reduce",
      locale: colorScheme === "dark" ? "ko-KR" : "en-GB",
    });
    await page.goto("/token");
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    for (const name of ["dice", "welcome"]) {
      await page.locator("#name").fill(name);
      await page.locator("[data-token-form] button[type=submit]").click();
      await page.locator("[data-made]").waitFor();
    }
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    if (process.env.HUECHAT_PICTURES)
      await page.screenshot({ path: `${process.env.HUECHAT_PICTURES}/tokens-${colorScheme}.png`, fullPage: true });
  });
}

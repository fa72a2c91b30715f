import { AxeBuilder } from "@axe-core/playwright";

import { expect, test } from "./visitor.js";
import { file, gif } from "./gifs.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */

/**
 * Every page, and what opens over it: its name, and how to get there.
 * @param {Visitor} visitor
 * @param {{ locked: string, lively: string }} rooms
 * @returns {[string, () => Promise<unknown>][]}
 */
function pages(visitor, { locked, lively }) {
  const { page } = visitor;
  return [
    ["waiting room", () => visitor.open("Somewhere quiet")],
    ["lobby", () => page.goto("/")],
    ["lobby with a notice", () => page.goto("/?error=room_full")],
    ["nothing found", () => page.goto("/?q=bagpipes")],
    ["password dialog", () => page.goto(new URL(locked).pathname)],
    ["form", () => page.goto("/room")],
    ["form with errors", () => page.locator("[data-new-room] button[type=submit]").click()],
    ["error", () => page.goto("/no/such/page")],
    ["lively room", () => visitor.enter(lively)],
    ["GIF dialog", () => page.locator("[data-gif-file]").setInputFiles(file("some.gif", gif()))],
    ["lines that wait", () => shareInVain(visitor)],
  ];
}

/**
 * One GIF is refused, one waits for an answer, and a message waits behind it.
 * @param {Visitor} visitor
 */
async function shareInVain(visitor) {
  const error = { code: "bad_gif", message: "" };
  await visitor.page.route(/\/gif$/, () => {}); // It is never answered.
  await visitor.page.route(/\/gif$/, (route) => route.fulfill({ status: 422, json: { error } }), { times: 1 });
  await visitor.page.locator("[data-gif-send]:enabled").click();
  await visitor.page.locator(".line--failed canvas").waitFor();
  await visitor.page.locator("[data-gif-file]").setInputFiles(file("small.gif", gif({ width: 20, height: 20 })));
  await visitor.page.locator("[data-gif-send]:enabled").click();
  await visitor.say("And this?");
  await expect(visitor.page.locator(".line--pending")).toHaveCount(2);
}

/** @param {import("./visitor.js").Invite} invite */
async function furnish(invite) {
  const [ann, ben, carl] = [await invite(), await invite(), await invite()];
  const lively = await ann.open("A title that is as long as titles may be, sixty in all, yes", { max: "12" });
  await ben.enter(lively);
  await ann.say(
    "Kettle is on. https://example.com/a-very-long-address-that-does-not-fit/into-one-line-of-a-phone?at=all",
  );
  await ben.say("On\nmy\nway");
  await ben.say("x".repeat(300));
  await ann.page.locator("[data-gif-file]").setInputFiles(file("wide.gif", gif({ width: 700, height: 200 })));
  await ann.page.getByRole("button", { name: "Share", exact: true }).click();
  await ben.log.getByRole("img", { name: /^GIF from/ }).waitFor();
  const locked = await carl.open("Just us", { max: "2", password: "sesame" });
  return { lively, locked };
}

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`axe finds nothing on any page in the ${colorScheme} theme`, async ({ invite }) => {
    test.setTimeout(120_000);
    const rooms = await furnish(invite);
    for (const width of [390, 1280]) {
      const visitor = await invite({ colorScheme, viewport: { width, height: 844 } });
      for (const [name, go] of pages(visitor, rooms)) {
        await go();
        const { violations } = await new AxeBuilder({ page: visitor.page }).analyze();
        const found = violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)].join("\n  "));
        expect(found, `${name} at ${width}`).toEqual([]);
      }
    }
  });
}

for (const locale of ["en-GB", "ko-KR"]) {
  test(`nothing is wider than a phone, in ${locale}`, async ({ invite }) => {
    test.setTimeout(90_000);
    const rooms = await furnish(invite);
    for (const width of [320, 390]) {
      const visitor = await invite({ locale, viewport: { width, height: 700 } });
      for (const [name, go] of pages(visitor, rooms)) {
        await go();
        const wide = await visitor.page.evaluate(() => {
          const scrollers = [document.documentElement, ...document.querySelectorAll("[data-log], dialog[open], .card")];
          return scrollers
            .filter((each) => each.scrollWidth > each.clientWidth + 1)
            .map((each) => each.className || each.tagName);
        });
        expect(wide, `${name} at ${width}`).toEqual([]);
      }
    }
  });
}

test("everything can be reached and seen by keyboard", async ({ invite }) => {
  const { page } = await invite();
  await page.goto("/");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  const seen = [];
  for (let i = 0; i < 5; i += 1) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const element = document.activeElement ?? document.body;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return {
        name: element.textContent?.trim() || element.getAttribute("name"),
        ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
      };
    });
    seen.push(focus);
  }
  expect(seen.map(({ name }) => name)).toEqual([
    "Huechat",
    "Open a room",
    "Become somebody else",
    "q",
    "Open the first room",
  ]);
  expect(seen.every(({ ring }) => ring)).toBe(true);
});

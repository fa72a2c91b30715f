// Pictures for the documents: `make screenshots`.

import { expect, test } from "./visitor.js";
import { file, gif } from "./gifs.js";

const FOLDER = new URL("../../docs/screenshots/", import.meta.url).pathname;
const PHONE = { width: 390, height: 844 };
const LAPTOP = { width: 1280, height: 800 };

const asked = process.env.HUECHAT_SCREENSHOTS ?? process.env.SCREENSHOTS;
test.skip(asked !== "1", "pictures are taken when HUECHAT_SCREENSHOTS=1 asks for them");

test("the lobby and a room, in both themes, on a phone and on a laptop", async ({ invite }) => {
  test.setTimeout(180_000);
  const [ann, ben, dora] = [await invite(), await invite(), await invite()];
  const [ed, fay, gus, hal] = [await invite(), await invite(), await invite(), await invite()];
  await gus.open("Everyone who cannot sleep", { max: "40" });
  await hal.open("Rust help", { max: "12" });
  await ed.open("Just us", { max: "2", password: "sesame" });
  const reading = await dora.open("Reading group: The Left Hand of Darkness", { max: "2" });
  await fay.enter(reading);

  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    const tea = await ann.open("Tea and trains", { max: "8" });
    await ben.enter(tea);
    await ann.say("Good evening. Kettle is on.");
    await ann.say("I took the slow train along the coast today: https://example.com/coast-line");
    await ben.hears(/slow train along the coast/);
    await ben.say("The one that stops at every village? I envy you.");
    await ann.hears(/stops at every village/);
    const me = await invite({ colorScheme, viewport: LAPTOP, reducedMotion: "reduce" });
    await me.page.goto("/");
    await expect(me.page.locator("[data-room]")).toHaveCount(5);
    await expect(me.page.locator("[data-room]").filter({ hasText: "Tea and trains" })).toContainText("2 of 8");
    for (const [name, size] of /** @type {const} */ ([
      ["laptop", LAPTOP],
      ["phone", PHONE],
    ])) {
      await me.page.setViewportSize(size);
      await me.page.screenshot({ path: `${FOLDER}lobby-${colorScheme}-${name}.png` });
    }
    await me.enter(tea);
    await me.say("Which tea goes with a slow train?");
    await ben.hears("Which tea goes with a slow train?");
    await ben.say("Lapsang, obviously.\nIt already smells of steam engines.");
    await me.hears(/Lapsang/);
    await ann.page.locator("[data-gif-file]").setInputFiles(file("train.gif", gif({ width: 280, height: 120 })));
    await ann.page.getByRole("button", { name: "Share", exact: true }).click();
    await me.log.getByRole("img", { name: /^GIF from/ }).waitFor();
    await me.say("That is exactly it.");
    await expect(me.lines.last()).toHaveAttribute("data-seq");
    await me.composer.fill("And which biscuit?");
    for (const [name, size] of /** @type {const} */ ([
      ["laptop", LAPTOP],
      ["phone", PHONE],
    ])) {
      await me.page.setViewportSize(size);
      await me.log.evaluate((log) => log.scrollTo({ top: 0 }));
      await me.page.screenshot({ path: `${FOLDER}room-${colorScheme}-${name}.png` });
    }
    for (const one of [me, ann, ben]) await one.leave();
  }
});

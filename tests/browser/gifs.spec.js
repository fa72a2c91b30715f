import { readFileSync } from "node:fs";

import { expect, test } from "./visitor.js";
import { damaged, file, gif } from "./gifs.js";

test("a GIF is looked at before it is shared, and can be put away", async ({ server, invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.page.locator("[data-gif-file]").setInputFiles(file("some.gif", gif({ width: 320, height: 180 })));
  await expect(ann.preview.getByRole("img", { name: "What you are about to share" })).toBeVisible();
  await expect(ann.preview).toContainText("320 × 180");
  await ann.preview.getByRole("button", { name: "Cancel" }).click();
  await expect(ann.preview).toBeHidden();
  expect(server.files).toEqual([]);
  await ann.share();
  await expect(ann.gifs).toHaveCount(1);
});

test("a file that is no GIF, a damaged and a too large one are refused in words", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  const field = ann.page.locator("[data-gif-file]");
  await field.setInputFiles({ name: "page.gif", mimeType: "image/gif", buffer: Buffer.from("<h1>hello</h1>") });
  await expect(ann.page.getByText("This is not a GIF. Please choose another file.")).toBeVisible();
  await field.setInputFiles({ name: "empty.gif", mimeType: "image/gif", buffer: Buffer.alloc(0) });
  await expect(ann.page.getByText("This is not a GIF. Please choose another file.")).toBeVisible();

  await field.setInputFiles(file("damaged.gif", damaged()));
  await expect(ann.preview).toContainText("This GIF is damaged or too big to show.");
  await expect(ann.preview.getByRole("button", { name: "Share" })).toBeDisabled();
  await ann.page.keyboard.press("Escape");

  await field.setInputFiles(file("large.gif", damaged(5 * 1024 * 1024 + 1)));
  await expect(ann.preview).toContainText("This GIF is too large: 5.2 MB is the most.");
  await expect(ann.preview.getByRole("button", { name: "Share" })).toBeDisabled();
});

test("a GIF can be pasted and dropped", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  for (const kind of ["paste", "drop"]) {
    await ann.page.evaluate(
      ([kind, base64]) => {
        const bytes = Uint8Array.from(atob(base64 ?? ""), (char) => char.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], "some.gif", { type: "image/gif" }));
        const options = { bubbles: true, cancelable: true };
        const event =
          kind === "paste"
            ? new ClipboardEvent("paste", { ...options, clipboardData: data })
            : new DragEvent("drop", { ...options, dataTransfer: data });
        document.querySelector("[data-words]")?.dispatchEvent(event);
      },
      [kind, gif().toString("base64")],
    );
    await expect(ann.preview).toContainText("160 × 100");
    await ann.preview.getByRole("button", { name: "Cancel" }).click();
    await expect(ann.preview).toBeHidden();
  }
});

test("nothing moves as a GIF loads", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.share(gif({ width: 300, height: 200 }));
  await ann.say("below it");
  await ann.hears("below it");
  await ann.page.route("**/gif/**", () => {}); // It never comes.
  await ann.page.reload({ waitUntil: "domcontentloaded" });
  await ann.live();
  const box = await ann.gifs.boundingBox();
  expect(box).toMatchObject({ width: 300, height: 200 });
});

/** The address of the picture that is shown. @param {import("@playwright/test").Locator} picture */
function shown(picture) {
  return picture.evaluate((/** @type {HTMLImageElement} */ image) => image.currentSrc);
}

/** @param {import("@playwright/test").Locator} picture */
function isDrawn(picture) {
  return picture.evaluate((/** @type {HTMLImageElement} */ image) => image.complete && image.naturalWidth > 0);
}

for (const [language, name] of /** @type {const} */ ([
  ["en-GB", "Play the GIF"],
  ["ko-KR", "GIF 재생"],
])) {
  test(`a GIF is still until it is played by mouse, finger or keyboard, in ${language}`, async ({ invite }) => {
    const ann = await invite({ locale: language, hasTouch: true });
    await ann.open("Tea");
    await ann.page.locator("[data-gif-file]").setInputFiles(file("some.gif", gif()));
    await ann.page.locator("[data-gif-send]:enabled").click();
    const picture = ann.log.locator(".gif img");
    const button = ann.log.getByRole("button", { name, exact: true });
    for (const again of [false, true]) {
      if (again) await ann.page.reload(); // The first was made by the script, the second by the server.
      await ann.live();
      await expect(button).toHaveAttribute("aria-pressed", "false");
      await expect.poll(() => shown(picture)).toMatch(/\.png$/);
      expect(await isDrawn(picture)).toBe(true);
      await picture.hover({ force: true });
      for (const toggle of [
        () => button.click(),
        () => button.tap(),
        () => button.press("Enter"),
        () => button.press("Space"),
      ]) {
        for (const [pressed, kind] of /** @type {const} */ ([
          ["true", /\.gif$/],
          ["false", /\.png$/],
        ])) {
          await toggle();
          await expect(button).toHaveAttribute("aria-pressed", pressed);
          await expect.poll(() => shown(picture)).toMatch(kind);
          await expect.poll(() => isDrawn(picture)).toBe(true);
        }
      }
    }
  });
}

test("a GIF that another person shares does not move, nor does one of a single picture have a button", async ({
  invite,
}) => {
  const [ann, ben] = [await invite(), await invite()];
  await ben.enter(await ann.open("Tea"));
  const asked = /** @type {string[]} */ ([]);
  ben.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await ann.share(gif({ frames: 1 }));
  await ann.share();
  await expect(ben.gifs).toHaveCount(2);
  for (const picture of await ben.gifs.all()) await expect.poll(() => isDrawn(picture)).toBe(true);
  expect(asked.filter((path) => path.endsWith(".gif"))).toEqual([]);
  await expect(ben.log.getByRole("button", { name: "Play the GIF" })).toHaveCount(1);
});

test("the preview is still where reduced motion is preferred, and so is a GIF that waits", async ({ invite }) => {
  const ann = await invite({ reducedMotion: "reduce" });
  await ann.page.route(/\/room\/[a-z2-7]+\/gif$/, () => {}); // It is never answered.
  await ann.open("Tea");
  await ann.page.locator("[data-gif-file]").setInputFiles(file("some.gif", gif()));
  await expect(ann.preview.locator("canvas")).toBeVisible();
  await ann.preview.getByRole("button", { name: "Share" }).click();
  await expect(ann.lines.last().locator("canvas")).toBeVisible();
});

test("without scripts a GIF is still, and a link to the GIF", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Tea");
  await ann.share();
  await expect(ann.gifs).toHaveCount(1);
  const ben = await invite({ javaScriptEnabled: false });
  await ben.page.goto(room);
  await ben.page.getByRole("button", { name: "Come in and read" }).click();
  await expect(ben.gifs).toHaveAttribute("src", /\.png$/);
  await expect(ben.log.getByRole("button")).toHaveCount(0);
  const [answer] = await Promise.all([
    ben.page.waitForResponse(/\.gif$/),
    ben.log.getByRole("link", { name: "Play the GIF" }).click(),
  ]);
  expect([answer.status(), answer.headers()["content-type"]]).toEqual([200, "image/gif"]);
  await ben.page.waitForLoadState();
  // The browser shows the file in a page of its own, whose styles the file's policy refuses.
  ben.complaints = ben.complaints.filter((complaint) => !complaint.startsWith("Applying inline style"));
});

test("the README says that GIFs stand still", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  expect(readme).toContain("A GIF stands still until you play it.");
});

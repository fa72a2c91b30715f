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

test("a GIF plays and pauses by keyboard", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.share();
  const frame = ann.log.locator("[data-gif]");
  const source = frame.locator("source");
  const button = frame.getByRole("button", { name: "Pause the GIF" });
  await expect(source).toHaveAttribute("srcset", /\.gif$/);
  await button.focus();
  await ann.page.keyboard.press("Enter");
  await expect(source).toHaveAttribute("srcset", /\.png$/);
  await frame.getByRole("button", { name: "Play the GIF" }).press("Space");
  await expect(source).toHaveAttribute("srcset", /\.gif$/);
});

test("for whoever prefers reduced motion a GIF is still until it is hovered, focused or tapped", async ({ invite }) => {
  const ann = await invite({ reducedMotion: "reduce", hasTouch: true });
  await ann.open("Tea");
  await ann.page.locator("[data-gif-file]").setInputFiles(file("some.gif", gif()));
  await expect(ann.preview.locator("canvas")).toBeVisible(); // The preview is still as well.
  await ann.preview.getByRole("button", { name: "Share" }).click();
  await expect(ann.preview).toBeHidden();
  const frame = ann.log.locator("[data-gif]");
  const source = frame.locator("source");
  const picture = frame.getByRole("img");
  const shown = () => picture.evaluate((/** @type {HTMLImageElement} */ img) => img.currentSrc);
  await expect(source).toHaveAttribute("srcset", /\.png$/);
  await expect.poll(shown).toMatch(/\.png$/);

  await picture.hover();
  await expect(source).toHaveAttribute("srcset", /\.gif$/);
  await ann.composer.hover();
  await expect(source).toHaveAttribute("srcset", /\.png$/);

  await ann.composer.focus();
  while (!(await frame.evaluate((gif) => gif.contains(document.activeElement))))
    await ann.page.keyboard.press("Shift+Tab");
  await expect(source).toHaveAttribute("srcset", /\.gif$/);
  await ann.page.keyboard.press("Tab");
  await expect(source).toHaveAttribute("srcset", /\.png$/);

  await picture.tap();
  await expect(source).toHaveAttribute("srcset", /\.gif$/);
  await ann.page.reload();
  await ann.live();
  await expect.poll(shown).toMatch(/\.png$/);
});

import { expect, test } from "./visitor.js";
import { damaged, file, gif } from "./gifs.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */

/** @param {Visitor} visitor */
function preview(visitor) {
  return visitor.page.getByRole("dialog", { name: "Share this GIF?" });
}

/**
 * @param {Visitor} visitor
 * @param {Buffer} [content]
 */
async function share(visitor, content = gif()) {
  await visitor.page.locator("[data-gif-file]").setInputFiles(file("some.gif", content));
  await preview(visitor).getByRole("button", { name: "Share" }).click();
  await expect(preview(visitor)).toBeHidden();
}

test("a GIF is looked at before it is shared, and can be put away", async ({ server, invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.page.locator("[data-gif-file]").setInputFiles(file("some.gif", gif({ width: 320, height: 180 })));
  await expect(preview(ann).getByRole("img", { name: "What you are about to share" })).toBeVisible();
  await expect(preview(ann)).toContainText("320 × 180");
  await preview(ann).getByRole("button", { name: "Cancel" }).click();
  await expect(preview(ann)).toBeHidden();
  expect(server.files).toEqual([]);
  await share(ann);
  await expect(ann.log.getByRole("img", { name: /^GIF from/ })).toHaveCount(1);
});

test("an upload shows how far it is, and can be cancelled half way", async ({ server, invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  // A network slow enough to see it.
  const network = await ann.page.context().newCDPSession(ann.page);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 60_000 };
  await network.send("Network.emulateNetworkConditions", slow);
  const large = gif({ width: 600, height: 400, frames: 20, noise: true });
  expect(large.length).toBeGreaterThan(300_000);
  await ann.page.locator("[data-gif-file]").setInputFiles(file("large.gif", large));
  await preview(ann).getByRole("button", { name: "Share" }).click();
  const progress = preview(ann).getByRole("progressbar", { name: "Sent so far" });
  await expect.poll(() => progress.evaluate((/** @type {HTMLProgressElement} */ bar) => bar.value)).toBeGreaterThan(5);
  await preview(ann).getByRole("button", { name: "Cancel" }).click();
  await expect(preview(ann)).toBeHidden();
  await network.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
  await share(ann);
  await expect(ann.log.getByRole("img", { name: /^GIF from/ })).toHaveCount(1);
  expect(server.files).toHaveLength(2);
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
  await expect(preview(ann)).toContainText("This GIF is damaged or too big to show.");
  await expect(preview(ann).getByRole("button", { name: "Share" })).toBeDisabled();
  await ann.page.keyboard.press("Escape");

  await field.setInputFiles(file("large.gif", damaged(5 * 1024 * 1024 + 1)));
  await expect(preview(ann)).toContainText("This GIF is too large: 5.2 MB is the most.");
  await expect(preview(ann).getByRole("button", { name: "Share" })).toBeDisabled();
});

test("what only the server sees is wrong is said in words too, and another can be chosen", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  const whole = gif();
  const cut = whole.subarray(0, whole.length - 120); // Browsers show the frames that are there.
  await ann.page.locator("[data-gif-file]").setInputFiles(file("cut.gif", cut));
  await preview(ann).getByRole("button", { name: "Share" }).click();
  await expect(preview(ann)).toContainText("This GIF is damaged or too big to show. Please choose another one.");
  await preview(ann).getByRole("button", { name: "Cancel" }).click();
  await share(ann, whole);
  await expect(ann.log.getByRole("img", { name: /^GIF from/ })).toHaveCount(1);
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
    await expect(preview(ann)).toContainText("160 × 100");
    await preview(ann).getByRole("button", { name: "Cancel" }).click();
    await expect(preview(ann)).toBeHidden();
  }
});

test("nothing moves as a GIF loads", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await share(ann, gif({ width: 300, height: 200 }));
  await ann.say("below it");
  await ann.hears("below it");
  await ann.page.route("**/gif/**", () => {}); // It never comes.
  await ann.page.reload({ waitUntil: "domcontentloaded" });
  await ann.live();
  const box = await ann.log.getByRole("img", { name: /^GIF from/ }).boundingBox();
  expect(box).toMatchObject({ width: 300, height: 200 });
});

test("a GIF plays and pauses by keyboard", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await share(ann);
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
  await expect(preview(ann).locator("canvas")).toBeVisible(); // The preview is still as well.
  await preview(ann).getByRole("button", { name: "Share" }).click();
  await expect(preview(ann)).toBeHidden();
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
  while (!(await frame.evaluate((gif) => gif.contains(document.activeElement)))) await ann.page.keyboard.press("Shift+Tab");
  await expect(source).toHaveAttribute("srcset", /\.gif$/);
  await ann.page.keyboard.press("Tab");
  await expect(source).toHaveAttribute("srcset", /\.png$/);

  await picture.tap();
  await expect(source).toHaveAttribute("srcset", /\.gif$/);
  await ann.page.reload();
  await ann.live();
  await expect.poll(shown).toMatch(/\.png$/);
});

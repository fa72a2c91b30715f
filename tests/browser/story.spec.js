import { expect, test } from "./visitor.js";
import { file, gif } from "./gifs.js";

test("two people meet in a room, talk, share a GIF and leave, and nothing is left", async ({ server, invite }) => {
  const ann = await invite();
  const ben = await invite();
  await ben.page.goto("/");
  await expect(ben.page.getByText("It is quiet here.")).toBeVisible();

  const room = await ann.open("Tea and trains", { max: "3" });
  await expect(ann.page.getByRole("heading", { name: "Only you are here." })).toBeVisible();
  await expect(ann.page.locator("[data-link]")).toHaveValue(new RegExp(`${new URL(room).pathname}$`));

  // Ben sees it appear without doing anything, and how full it is.
  const card = ben.page.locator("[data-room]").filter({ hasText: "Tea and trains" });
  await expect(card).toBeVisible();
  await expect(card).toContainText("1 of 3");
  await expect(card).toContainText(await ann.name());
  await card.getByRole("link", { name: "Tea and trains" }).click();
  await ben.live();
  await expect(ann.page.getByRole("heading", { name: "Only you are here." })).toBeHidden();
  await expect(ann.people).toHaveCount(2);
  await expect(ben.people).toHaveCount(2);
  await ann.hears(`${await ben.name()} joined`);

  await ann.say("Kettle is on.");
  await ben.hears("Kettle is on.");
  await ben.say("On my way.");
  await ann.hears("On my way.");
  await expect(ann.lines.filter({ hasText: "Kettle is on." })).toHaveClass(/line--mine/);
  await expect(ben.lines.filter({ hasText: "Kettle is on." })).not.toHaveClass(/line--mine/);

  await ben.page.locator("[data-gif-file]").setInputFiles(file("train.gif", gif()));
  const preview = ben.page.getByRole("dialog", { name: "Share this GIF?" });
  await expect(preview).toContainText("160 × 100");
  await preview.getByRole("button", { name: "Share" }).click();
  await expect(preview).toBeHidden();
  for (const one of [ann, ben]) {
    const picture = one.log.getByRole("img", { name: `GIF from ${await ben.name()}` });
    await expect(picture).toBeVisible();
    await expect.poll(() => picture.evaluate((/** @type {HTMLImageElement} */ img) => img.naturalWidth)).toBe(160);
  }
  expect(server.files).toHaveLength(2);

  const carl = await invite();
  await carl.page.goto("/");
  const seen = carl.page.locator("[data-room]").filter({ hasText: "Tea and trains" });
  await expect(seen).toContainText("2 of 3");
  const name = await ann.name();
  await ann.leave();
  await ben.hears(`${name} left`);
  await ben.hears(`${await ben.name()} is the host now`);
  await expect(seen).toContainText("1 of 3");
  await ben.leave();
  await expect(seen).toHaveCount(0);
  await expect(carl.page.getByText("It is quiet here.")).toBeVisible();

  const gone = await carl.page.request.get(room, { headers: { Accept: "application/json" } });
  expect(gone.status()).toBe(404);
  const lobby = await carl.page.request.get("/", { headers: { Accept: "application/json" } });
  expect((await lobby.json()).rooms).toEqual([]);
  await expect.poll(() => server.files).toEqual([]);
});

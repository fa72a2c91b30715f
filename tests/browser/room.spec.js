import { expect, test } from "./visitor.js";

test("reloading twenty times keeps the room, the colour and the host, and says nothing", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Tea");
  const name = await ann.name();
  const colors = await ann.people.locator("[data-color]").getAttribute("class");
  for (let i = 0; i < 20; i += 1) {
    await ann.page.reload();
    await ann.live();
  }
  expect(ann.page.url()).toBe(room);
  expect(await ann.name()).toBe(name);
  await expect(ann.people.locator("[data-color]")).toHaveClass(colors ?? "");
  await expect(ann.people).toContainText("host");
  await expect(ann.lines).toHaveText([new RegExp(`${name} joined`)]);
});

test("two tabs of one person are one person, and say everything once", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  const tab = await ann.anotherTab();
  await tab.enter(room);
  await ben.enter(room);
  for (const one of [ann, tab, ben]) await expect(one.people).toHaveCount(2);
  await ann.say("from the first tab");
  await tab.say("from the second tab");
  await tab.share();
  for (const one of [ann, tab]) {
    const mine = one.lines.filter({ hasText: /tab/ });
    await expect(mine).toHaveText([/You.*from the first tab/s, /You.*from the second tab/s]);
    for (const line of await mine.all()) await expect(line).toHaveAttribute("data-seq", /\d/);
    await expect(one.gifs).toHaveCount(1);
    await expect(one.lines.locator(".line__unsent")).toHaveCount(0);
  }
  await expect(ben.gifs).toHaveCount(1);
  expect(await ben.said()).toEqual(["from the first tab", "from the second tab"]);

  await tab.page.close();
  await ann.say("still here");
  await ben.hears("still here");
  await expect(ben.people).toHaveCount(2);
  await expect(ben.lines.filter({ hasText: "left" })).toHaveCount(0);
});

test("leaving in one tab is said in the other, which stays out until it is reloaded", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.enter(room);
  const tab = await ann.anotherTab();
  await tab.enter(room);
  await ann.leave();
  await expect(tab.page.getByRole("dialog", { name: "You have left this room." })).toBeVisible();
  await expect(tab.state).toHaveText("ended");
  // Nothing makes it come back: not the network, not being looked at.
  let opened = 0;
  tab.page.on("websocket", () => (opened += 1));
  await tab.page.evaluate(() => {
    window.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await ben.say("gone, then");
  await ben.hears("gone, then");
  await expect(ben.people).toHaveCount(1);
  expect(opened).toBe(0);
  await tab.page.getByRole("button", { name: "Reload" }).click();
  await tab.live();
  await expect(ben.people).toHaveCount(2);
});

test("everybody in a room has a name of their own", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Tea", { max: "12" });
  for (let i = 0; i < 5; i += 1) await (await invite()).enter(room);
  const names = await ann.people.locator("[data-name]").allInnerTexts();
  expect(names).toHaveLength(6);
  expect(new Set(names).size).toBe(6);
});

test("the link to the room can be copied", async ({ invite }) => {
  const ann = await invite({ permissions: ["clipboard-read", "clipboard-write"] });
  const room = await ann.open("Tea");
  await ann.page.getByRole("button", { name: "Copy link" }).last().click();
  await expect(ann.page.getByText("Link copied").last()).toBeVisible();
  const copied = await ann.page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(copied).pathname).toBe(new URL(room).pathname);
});

test("on a phone the people are in a drawer", async ({ invite }) => {
  const ann = await invite({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ann.open("Tea");
  const drawer = ann.page.locator("#people");
  await expect(drawer).toBeHidden();
  await ann.page.getByRole("button", { name: "People here: 1" }).tap();
  await expect(drawer).toBeVisible();
  await expect(drawer).toContainText("host");
  await drawer.getByRole("button", { name: "Close" }).tap();
  await expect(drawer).toBeHidden();
});

test("a session that is gone is said, and a reload brings a new one", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.page.context().clearCookies();
  await ann.page.context().setOffline(true);
  await expect(ann.state).toHaveText("offline");
  await ann.page.context().setOffline(false);
  const said = ann.page.getByRole("dialog", { name: "Your session has ended." });
  await expect(said).toBeVisible();
  await ann.page.keyboard.press("Escape");
  await said.getByRole("button", { name: "Reload" }).click();
  await ann.live();
  await expect(ann.people).toHaveCount(2); // The one they were keeps its seat for the grace.
});

test("a room that went while its page slept is said to be gone", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.page.context().setOffline(true);
  await expect(ann.state).toHaveText("offline");
  const form = { method: "POST", headers: { Accept: "application/json" } };
  const left = await ann.page.request.fetch(`${ann.page.url()}/leave`, form);
  expect(left.status()).toBe(204);
  await ann.page.context().setOffline(false);
  await expect(ann.page.getByRole("dialog", { name: "This room is gone." })).toBeVisible();
  await ann.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ann.page.getByText("It is quiet here.")).toBeVisible();
});

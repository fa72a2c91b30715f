import { execFileSync } from "node:child_process";

import { expect, test, three } from "./visitor.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */
/** @typedef {import("./visitor.js").Invite} Invite */

/**
 * Opens what `by` can do about somebody.
 * @param {Visitor} by
 * @param {string} name
 */
async function choose(by, name) {
  await by.people.filter({ hasText: name }).getByRole("button").click();
  return by.page.getByRole("dialog", { name });
}

/** @param {Visitor} visitor */
function hostFor(visitor) {
  return visitor.people.filter({ has: visitor.page.locator("[data-host]:not([hidden])") });
}

/** @param {Visitor} visitor */
function frames(visitor) {
  const heard = /** @type {string[]} */ ([]);
  visitor.page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => heard.push(String(payload)));
  });
  return heard;
}

test("a whisper is seen by two, and never reaches the third", async ({ invite }) => {
  const [ann, ben, cleo] = [await invite(), await invite(), await invite()];
  const heard = frames(cleo);
  const room = await ann.open("Tea");
  for (const guest of [ben, cleo]) await guest.enter(room);
  await expect(ann.people).toHaveCount(3);
  const [annsName, bensName] = [await ann.name(), await ben.name()];

  const dialog = await choose(ann, bensName);
  await dialog.getByRole("button", { name: "Whisper" }).click();
  await expect(ann.page.getByText(`Only ${bensName} will see this.`)).toBeVisible();
  await ann.say("between us");
  await ann.page.getByRole("button", { name: "Talk to everybody again" }).click();
  await ann.say("for everybody");

  await expect(ben.lines.filter({ hasText: "between us" })).toContainText(`whispered to ${bensName}`);
  await expect(ben.lines.filter({ hasText: "between us" })).toContainText(annsName);
  await expect(ann.lines.filter({ hasText: "between us" })).toHaveAttribute("data-seq", /\d/);
  await cleo.hears("for everybody");
  expect(await cleo.page.content()).not.toContain("between us");
  expect(heard.join("\n")).toContain("for everybody");
  expect(heard.join("\n")).not.toContain("between us");
  for (const one of [ann, ben, cleo]) {
    await one.page.reload();
    await one.live();
  }
  await ben.hears("between us");
  await ann.hears("between us");
  expect(await cleo.page.content()).not.toContain("between us");
});

test("a whisper by the keyboard finds its person by name, or says that nobody is called so", async ({ invite }) => {
  const { ann, ben, cleo } = await three(invite);
  const bensName = await ben.name();

  await ann.say(`/w ${bensName.toLowerCase()} psst`);
  await ben.hears("psst");
  await ann.composer.press("Escape");
  await ann.say("aloud");
  await cleo.hears("aloud");
  await ann.say("/w Nobody 1 psst");
  await expect(ann.page.getByRole("alert").filter({ hasText: "They are not here any more." })).toBeVisible();
  await expect(ann.composer).toHaveValue("/w Nobody 1 psst");
  expect(await cleo.said()).toEqual(["aloud"]);
});

test("whoever is whispered to and leaves hears nothing, and that is said", async ({ invite }) => {
  const { ann, ben } = await three(invite);
  const dialog = await choose(ann, await ben.name());
  await dialog.getByRole("button", { name: "Whisper" }).click();
  await ann.composer.fill("still there?");
  await ben.leave();
  await expect(ann.page.getByRole("alert").filter({ hasText: "They are not here any more." })).toBeVisible();
  await expect(ann.composer).toHaveValue("still there?");
});

test("a host removes somebody, who is told and stays out", async ({ invite }) => {
  const { ann, ben, cleo, room } = await three(invite);
  const [annsName, bensName] = [await ann.name(), await ben.name()];
  const tab = await ben.anotherTab();
  await tab.enter(room);

  const dialog = await choose(ann, bensName);
  await dialog.getByRole("button", { name: "Remove from the room" }).click();

  for (const page of [ben, tab]) {
    const ending = page.page.getByRole("dialog", { name: "You were removed." });
    await expect(ending).toContainText(`${annsName} removed you`);
  }
  for (const one of [ann, cleo]) {
    await expect(one.people).toHaveCount(2);
    await one.hears(`${bensName} was removed`);
  }
  await expect(dialog).toBeHidden();
  await ben.page.goto(room);
  await expect(ben.page.getByText("You were removed from this room, and cannot come back in.")).toBeVisible();
});

test.describe("where a visitor's address is known", () => {
  test.use({ settings: { TRUSTED_PROXIES: "192.0.2.77" } });

  test("whoever was removed does not come back with a fresh cookie from the same address", async ({ invite }) => {
    const { ann, ben, cleo, room } = await three(invite);
    const dialog = await choose(ann, await ben.name());
    await dialog.getByRole("button", { name: "Remove from the room" }).click();
    await expect(ben.page.getByRole("dialog", { name: "You were removed." })).toBeVisible();

    await ben.page.context().clearCookies();
    await ben.page.goto("/");
    await ben.page.goto(room);
    await expect(ben.page.getByText("You were removed from this room, and cannot come back in.")).toBeVisible();
    await cleo.page.reload();
    await cleo.live();
    await expect(ann.people).toHaveCount(2);
  });
});

test("a guest can whisper and hide, and no more", async ({ invite }) => {
  const { ann, ben, cleo } = await three(invite);
  const cleosName = await cleo.name();
  await expect(ben.page.getByRole("button", { name: "Settings of the room" })).toBeHidden();

  const dialog = await choose(ben, cleosName);
  await expect(dialog.getByRole("button")).toHaveText(["Whisper", "Hide what they say", "Report", "Close"]);
  await cleo.say("first");
  await ben.hears("first");
  await dialog.getByRole("button", { name: "Hide what they say" }).click();
  await expect(ben.lines.filter({ hasText: "first" })).toBeHidden();
  await cleo.say("second");
  await ann.hears("second");
  await ann.say("third");
  await ben.hears("third");
  await expect(ben.lines.filter({ hasText: "second" })).toBeHidden();
  await ben.page.reload();
  await ben.live();
  await expect(ben.lines.filter({ hasText: "second" })).toBeHidden();
  await (await choose(ben, cleosName)).getByRole("button", { name: "Show what they say" }).click();
  await expect(ben.lines.filter({ hasText: "second" })).toBeVisible();
});

test("the room moves on to another host, with all that a host may", async ({ invite }) => {
  const { ann, ben, cleo } = await three(invite);
  const bensName = await ben.name();

  const dialog = await choose(ann, bensName);
  await dialog.getByRole("button", { name: "Make them the host" }).click();

  for (const one of [ann, ben, cleo]) {
    await expect(hostFor(one)).toContainText(bensName);
    await one.hears(`${bensName} is the host now`);
    await expect(one.people.first()).toContainText(bensName);
  }
  await cleo.page.reload();
  await expect(cleo.people.first()).toContainText(bensName);
  await cleo.live();
  await expect(ann.page.getByRole("button", { name: "Settings of the room" })).toBeHidden();
  await expect(ben.page.getByRole("button", { name: "Settings of the room" })).toBeVisible();
  await ben.leave();
  await expect(hostFor(cleo)).toContainText(await ann.name());
});

test("a host changes the room, and everybody sees it", async ({ invite }) => {
  const { ann, ben } = await three(invite);
  const settings = ann.page.getByRole("dialog", { name: "Settings of the room" });
  const open = () => ann.page.getByRole("button", { name: "Settings of the room" }).click();

  await open();
  await settings.getByLabel("What is it about?").fill(" ");
  await settings.getByLabel("How many people fit in?").fill("2");
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByText("Give the room a name")).toBeVisible();
  await settings.getByLabel("What is it about?").fill("Coffee");
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByText("More people are here than that.")).toBeVisible();
  await settings.getByLabel("How many people fit in?").fill("7");
  await settings.getByLabel("Let nobody new in").check();
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings).toBeHidden();

  for (const one of [ann, ben]) {
    await expect(one.page.getByRole("heading", { level: 1 })).toHaveText("Coffee");
    await expect(one.page).toHaveTitle("Coffee · Huechat");
    await expect(one.page.getByText("Room for 7.")).toBeAttached();
    for (const change of ["renamed the room", "changed how many fit in", "locked the room"]) await one.hears(change);
  }
  const dora = await invite();
  await dora.page.goto(ann.page.url());
  await expect(dora.page.getByText("letting nobody new in")).toBeVisible();

  await open();
  await expect(settings.getByLabel("Let nobody new in")).toBeChecked();
  await settings.getByRole("button", { name: "Close the room" }).click();
  await settings.getByRole("button", { name: "Really? Everybody has to leave." }).click();
  for (const one of [ann, ben])
    await expect(one.page.getByRole("dialog", { name: "This room is gone." })).toBeVisible();
});

test("what is deleted goes from every page", async ({ invite }) => {
  const { ann, ben, cleo } = await three(invite);
  await ben.say("never mind");
  await ben.share();
  await cleo.say("mine");
  await ann.hears("mine");
  await expect(ann.gifs).toHaveCount(1);
  /**
   * @param {Visitor} by
   * @param {import("@playwright/test").Locator} line
   */
  const remove = async (by, line) => {
    await line.hover();
    await line.getByRole("button", { name: "Delete" }).click();
    await by.page.getByRole("dialog", { name: "Delete this message?" }).getByRole("button", { name: "Delete" }).click();
  };

  await remove(ben, ben.lines.filter({ hasText: "never mind" }));
  await remove(ann, ann.lines.filter({ has: ann.page.locator("[data-gif]") }));
  await ben.lines.filter({ hasText: "mine" }).hover();
  await expect(ben.lines.filter({ hasText: "mine" }).getByRole("button", { name: "Delete" })).toHaveCount(0);

  for (const one of [ann, ben, cleo]) {
    await expect(one.lines.filter({ hasText: "This message was deleted." })).toHaveCount(2);
    await expect(one.gifs).toHaveCount(0);
    expect(await one.said()).toEqual(["mine"]);
  }
  await cleo.page.reload();
  await cleo.live();
  await expect(cleo.lines.filter({ hasText: "This message was deleted." })).toHaveCount(2);
});

test("who is writing is seen by the others, until they send it or stop", async ({ invite }) => {
  const { ann, ben } = await three(invite);
  const writing = `${await ben.name()} is writing…`;

  await ben.composer.pressSequentially("hm");
  await expect(ann.page.getByText(writing)).toBeVisible();
  await ben.composer.press("Enter");
  await expect(ann.page.getByText(writing)).toBeHidden();
  await ben.composer.pressSequentially("and");
  await expect(ann.page.getByText(writing)).toBeVisible();
  await ben.leave();
  await expect(ann.page.getByText(writing)).toBeHidden();
});

test("the tab counts what came while nobody looked", async ({ invite }) => {
  const { ann, ben } = await three(invite);
  /** @param {boolean} hidden */
  const look = (hidden) =>
    ann.page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);

  await look(true);
  await ben.say("first");
  await ben.say("second");
  await expect(ann.page).toHaveTitle("(2) Tea · Huechat");
  await look(false);
  await expect(ann.page).toHaveTitle("Tea · Huechat");
});

test("by the keyboard alone a message is found and deleted", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  for (const words of ["first", "second", "third"]) {
    await ann.say(words);
    await expect(ann.lines.filter({ hasText: words })).toHaveAttribute("data-seq", /\d/);
  }
  const press = (/** @type {string} */ key) => ann.page.keyboard.press(key);

  await ann.composer.focus();
  await press("ArrowUp");
  await press("ArrowUp");
  await expect(ann.lines.filter({ hasText: "second" })).toBeFocused();
  await press("Tab");
  await expect(ann.page.getByRole("button", { name: "Delete" })).toBeFocused();
  await press("Enter");
  await ann.page
    .getByRole("dialog", { name: "Delete this message?" })
    .getByRole("button", { name: "Cancel" })
    .press("Tab");
  await press("Enter");

  await expect(ann.lines.filter({ hasText: "This message was deleted." })).toHaveCount(1);
  expect(await ann.said()).toEqual(["first", "third"]);
  await ann.composer.focus();
  await press("ArrowUp");
  await press("Escape");
  await expect(ann.composer).toBeFocused();
});

test("whose session an admin deletes is told, and says nothing more", async ({ invite, server }) => {
  const { ann, ben } = await three(invite);
  await ben.composer.fill("still me?");
  const sql = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM sessions'); c.commit()";
  execFileSync("python3", ["-c", sql, server.database]);

  await expect(ben.page.getByRole("dialog", { name: "Your session has ended." })).toBeVisible();
  await expect(ben.composer).toHaveValue("still me?");
  await expect(ben.composer).toHaveAttribute("readonly");
  await expect(ann.page.getByRole("dialog", { name: "Your session has ended." })).toBeVisible();
  expect(await ann.said()).toEqual([]);
});

test("whoever becomes somebody else has another colour, and their room knows", async ({ invite }) => {
  const { ann, ben } = await three(invite);
  const bensName = await ben.name();
  const tab = await ben.anotherTab();
  await tab.page.goto("/");
  const before = await tab.page.getByRole("heading", { level: 1 }).innerText();
  await tab.page.getByRole("button", { name: "Become somebody else" }).click();
  await expect(tab.page.getByRole("heading", { level: 1 })).not.toHaveText(before);
  await expect(ben.page.getByRole("dialog", { name: "Your session has ended." })).toBeVisible();
  // Their seat is kept for the grace, as after any lost connection.
  await expect(ann.lines.filter({ hasText: `${bensName} left` })).toHaveCount(1, { timeout: 20_000 });
});

test("a message, a person and a room are reported, and whoever runs the server reads of them", async ({
  invite,
  server,
}) => {
  const [ann, ben] = [await invite(), await invite()];
  await ben.enter(await ann.open("Tea"));
  await ann.say("something rude");
  await ben.hears("something rude");
  const dialog = (/** @type {string | RegExp} */ name) => ben.page.getByRole("dialog", { name });
  const reports = () => server.log.split("\n").filter((line) => line.includes("huechat::report"));

  await ben.lines.filter({ hasText: "something rude" }).hover();
  await ben.lines.getByRole("button", { name: "Report" }).click();
  await dialog("Report this message").getByLabel("What is wrong?").fill("not kind");
  await dialog("Report this message").getByRole("button", { name: "Report" }).click();
  await expect(dialog("Report this message").getByText("Thank you.")).toBeVisible();
  await expect.poll(reports).toHaveLength(1);
  expect(reports()[0]).toContain("something rude");
  expect(reports()[0]).toContain("not kind");
  await dialog("Report this message").getByRole("button", { name: "Close" }).click();

  const annsName = await ann.name();
  await (await choose(ben, annsName)).getByRole("button", { name: "Report" }).click();
  await dialog(`Report ${annsName}`).getByRole("button", { name: "Report" }).press("Enter");
  await expect(dialog(`Report ${annsName}`).getByRole("button", { name: "Close" })).toBeFocused();
  await ben.page.keyboard.press("Enter");

  await ben.page.getByRole("button", { name: "Report this room" }).click();
  await dialog("Report this room").getByRole("button", { name: "Cancel" }).click();
  await expect(dialog("Report this room")).toBeHidden();
  expect(reports()).toHaveLength(2);
});

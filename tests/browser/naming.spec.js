import { expect, test, three } from "./visitor.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */
/** @typedef {import("./visitor.js").Invite} Invite */

/** @param {Visitor} visitor */
function offered(visitor) {
  return visitor.page.getByRole("listbox", { name: "People to name" }).getByRole("option");
}

test("somebody is named by the keyboard alone, and only they are shown that it is them", async ({ invite }) => {
  const { ann, ben, cleo } = await three(invite);
  const bensName = await ben.name();

  await ann.composer.focus();
  await ann.page.keyboard.type(`tea, @${bensName.slice(0, 3).toLowerCase()}`);
  const bens = offered(ann).filter({ hasText: bensName });
  await expect(bens).toBeVisible();
  for (let step = 0; (await bens.getAttribute("aria-selected")) !== "true"; step += 1) {
    expect(step).toBeLessThan(3);
    await ann.page.keyboard.press("ArrowDown");
  }
  const chosen = await ann.composer.getAttribute("aria-activedescendant");
  expect(await bens.getAttribute("id")).toBe(chosen);
  await ann.page.keyboard.press("Enter");
  await expect(ann.composer).toHaveValue(`tea, @${bensName} `);
  await expect(offered(ann)).toHaveCount(0);
  await ann.page.keyboard.type("?");
  await ann.page.keyboard.press("Enter");

  for (const [one, mine] of /** @type {const} */ ([
    [ann, 0],
    [ben, 1],
    [cleo, 0],
  ])) {
    await expect(one.lines.locator(".mention")).toHaveText([`@${bensName}`]);
    await expect(one.lines.locator(".mention--me")).toHaveCount(mine);
  }
  await ben.page.reload();
  await ben.live();
  await expect(ben.lines.locator(".mention--me")).toHaveText([`@${bensName}`]);
});

test("the list of names closes by Escape, and what is no name is sent as it is", async ({ invite }) => {
  const { ann, ben } = await three(invite);
  const bensName = await ben.name();

  await ann.composer.focus();
  await ann.page.keyboard.type(`@${bensName.slice(0, 2)}`);
  await expect(offered(ann).filter({ hasText: bensName })).toBeVisible();
  await ann.page.keyboard.press("Escape");
  await expect(offered(ann)).toHaveCount(0);
  await ann.page.keyboard.press("Enter");
  await ben.hears(`@${bensName.slice(0, 2)}`);
  await ann.say("@Nobody 1 and a@b and @ all");
  await ben.hears("@Nobody 1 and a@b and @ all");
  await expect(ben.lines.locator(".mention")).toHaveCount(0);
});

test("a name is chosen by a tap", async ({ invite }) => {
  const { ann, ben } = await three(invite);
  const bensName = await ben.name();
  await ann.composer.pressSequentially(`@${bensName.slice(0, -1)}`);
  await offered(ann).filter({ hasText: bensName }).click();
  await expect(ann.composer).toHaveValue(`@${bensName} `);
  await expect(ann.composer).toBeFocused();
});

test("a name reads in the reader's language, whoever wrote it", async ({ invite }) => {
  const [ann, ben] = [await invite({ locale: "ko-KR" }), await invite()];
  await ben.enter(await ann.open("차"));
  const bensName = await ben.name();
  const [, number = ""] = bensName.split(" ");
  const korean = await ann.people.locator("[data-name]").nth(1).innerText();
  expect(korean).not.toBe(bensName);

  await ann.say(`@${korean} 안녕`);
  await expect(ben.lines.locator(".mention--me")).toHaveText([`@${bensName}`]);
  await expect(ann.lines.locator(".mention")).toHaveText([`@${korean}`]);
  expect(korean).toContain(number);
});

test("people who come and go, one after another, are told in one line that opens", async ({ invite }) => {
  const { ann, ben, cleo } = await three(invite);
  const [bensName, cleosName] = [await ben.name(), await cleo.name()];
  const fold = (/** @type {string} */ words) => ann.page.getByRole("button", { name: words });
  const visible = () => ann.lines.filter({ visible: true });

  await expect(fold("3 people came")).toHaveAttribute("aria-expanded", "false");
  await expect(visible()).toHaveCount(1);
  await expect(ann.page.getByText(`${bensName} joined`)).toBeHidden();
  await cleo.leave();
  await expect(fold("3 came, 1 left")).toBeVisible();
  await fold("3 came, 1 left").click();
  await expect(visible()).toHaveCount(4);
  await expect(ann.page.getByText(`${cleosName} left`)).toBeVisible();
  await fold("3 came, 1 left").press("Enter");
  await expect(visible()).toHaveCount(1);

  await ann.say("words in between");
  await ben.leave();
  await expect(ann.page.getByText(`${bensName} left`)).toBeVisible();
  await expect(visible()).toHaveCount(3);
  await ann.page.reload();
  await ann.live();
  await expect(fold("3 came, 1 left")).toBeVisible();
  await expect(visible()).toHaveCount(3);
});

test("a room that is called like markup is shown as it is called", async ({ invite }) => {
  const { ann, ben } = await three(invite);
  const title = '<img src=x onerror="alert(1)">';
  await ann.page.getByRole("button", { name: "Settings of the room" }).click();
  await ann.page.getByLabel("What is it about?").fill(title);
  await ann.page.getByRole("button", { name: "Save" }).click();
  await expect(ben.page.getByRole("heading", { level: 1 })).toHaveText(title);
  await ben.page.goto("/");
  await expect(ben.page.getByRole("link", { name: title })).toBeVisible();
  await expect(ben.page.locator('img[src="x"]')).toHaveCount(0);
});

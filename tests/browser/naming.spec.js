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

  for (const [one, mine] of /** @type {const} */ ([[ann, 0], [ben, 1], [cleo, 0]])) {
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

test("a sound and a notification are off until they are switched on, and then tell of a name and a whisper", async ({ invite }) => {
  const [ann, ben] = [await invite(), await invite()];
  await ben.page.context().grantPermissions(["notifications"]);
  await ben.page.addInitScript(() => {
    // What the browser is asked to show and to play; it does both all the same.
    Object.assign(window, { shown: [], tones: 0 });
    window.Notification = new Proxy(window.Notification, {
      construct(original, [title, options]) {
        /** @type {any} */ (window).shown.push(options.body);
        return new original(title, options);
      },
    });
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      /** @type {any} */ (window).tones += 1;
      return start.call(this, when);
    };
  });
  await ben.enter(await ann.open("Tea"));
  await expect(ann.people).toHaveCount(2);
  const [annsName, bensName] = [await ann.name(), await ben.name()];
  const told = () => ben.page.evaluate(() => [/** @type {any} */ (window).shown, /** @type {any} */ (window).tones]);
  await ben.page.evaluate(() => Object.defineProperty(document, "hidden", { value: true, configurable: true }));

  await ann.say(`@${bensName} psst`);
  await ben.hears("psst");
  expect(await told()).toEqual([[], 0]);

  await ben.page.getByText("This page", { exact: true }).click();
  await ben.page.getByLabel("Play a sound when I am named or whispered to").check();
  await expect.poll(async () => (await told())[1]).toBe(2); // So that one knows it.
  await ben.page.getByLabel("Notify me then, while I look elsewhere").check();
  await ann.say("nobody is named");
  await ben.hears("nobody is named");
  expect(await told()).toEqual([[], 2]);
  await ann.say(`@${bensName} hello`);
  await expect.poll(told).toEqual([[`${annsName} named you`], 4]);
  await ann.say(`/w ${bensName} between us`);
  await expect.poll(told).toEqual([[`${annsName} named you`, `${annsName} whispered to you`], 6]);
  await expect(ben.page).toHaveTitle("(4) Tea · Huechat");
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

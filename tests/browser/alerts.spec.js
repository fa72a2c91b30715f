import { expect, test } from "./visitor.js";

test("a sound and a notification are off until they are switched on, and then tell of a name and a whisper", async ({
  invite,
}) => {
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

import { expect, test } from "./visitor.js";

test("Shift and Enter start a new line, Enter sends", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.composer.pressSequentially("one");
  await ann.composer.press("Shift+Enter");
  await ann.composer.pressSequentially("two");
  await expect(ann.composer).toHaveValue("one\ntwo");
  await ann.composer.press("Enter");
  await expect(ann.lines.last().locator(".line__text")).toHaveText("one\ntwo", { useInnerText: true });
  await expect(ann.composer).toHaveValue("");
  await expect(ann.composer).toBeFocused();
});

test("Enter in the middle of a Korean syllable chooses it, and does not send", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.composer.focus();
  const keyboard = await ann.page.context().newCDPSession(ann.page);
  await keyboard.send("Input.imeSetComposition", { text: "안", selectionStart: 1, selectionEnd: 1 });
  await ann.page.keyboard.press("Enter");
  await expect(ann.composer).toHaveValue(/안/);
  await expect(ann.lines.filter({ hasText: "안" })).toHaveCount(0);

  await ann.composer.fill("");
  await keyboard.send("Input.insertText", { text: "안녕" });
  await ann.page.keyboard.press("Enter");
  await ann.hears("안녕");
});

test("only spaces are not sent, and too many characters are counted", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  const count = ann.page.locator("[data-count]");
  await ann.say("   ");
  await expect(ann.lines).toHaveCount(1);
  await ann.composer.fill("가".repeat(1_799));
  await expect(count).toBeHidden();
  await ann.composer.fill("🫖".repeat(1_999));
  await expect(count).toHaveText("1 character left");
  await ann.composer.fill("가".repeat(2_002));
  await expect(count).toHaveText("2 characters too many");
  await ann.composer.press("Enter");
  await expect(ann.page.getByText("This is too long: 2,000 characters are the most.")).toBeVisible();
  await expect(ann.lines).toHaveCount(1);
  await ann.say("가".repeat(2_000));
  await expect(ann.lines).toHaveCount(2);
});

test("markup in a message is text, and only web addresses are links", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.enter(room);
  const words = '<img src=x onerror="alert(1)"> <b>bold</b> javascript:alert(1) https://example.com/a?b=1&c=2. ok';
  await ann.say(words);
  for (const one of [ann, ben]) {
    await one.hears("<b>bold</b>");
    await one.page.reload(); // What the server renders says the same.
    await one.live();
    const line = one.lines.filter({ hasText: "<b>bold</b>" });
    await expect(line.locator(".line__text")).toHaveText(words);
    await expect(line.locator("b, img")).toHaveCount(0);
    const link = line.getByRole("link");
    await expect(link).toHaveCount(1);
    await expect(link).toHaveAttribute("href", "https://example.com/a?b=1&c=2");
    await expect(link).toHaveAttribute("rel", "noopener noreferrer nofollow ugc");
  }
});

test("characters that turn text around, or show nothing, deceive nobody", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("\u202eaeT"); // Turned around: it would read Tea, and turn what follows it.
  await ben.enter(room);
  const words = "\u202eturned https://good.example/\u202emoc.live go\u200bod";
  await ann.say(words);
  await ann.say("\u200b\u2066 "); // Nothing that shows: it is not said.
  await ann.say("the end");
  await ben.hears("the end");
  for (const one of [ann, ben]) {
    const line = one.lines.filter({ hasText: "turned" });
    const link = line.getByRole("link");
    await expect(link).toHaveText("https://good.example/");
    await expect(link).toHaveAttribute("href", "https://good.example/");
    await expect(link).toHaveCSS("unicode-bidi", "isolate");
    await expect(link).toHaveCSS("direction", "ltr");
    await expect(one.page.getByRole("heading", { level: 1 })).toHaveCSS("unicode-bidi", "isolate");
  }
  expect(await ben.said()).toEqual([words, "the end"]);
  await ben.page.goto("/");
  await expect(ben.page.locator("[data-room] [data-title]")).toHaveCSS("unicode-bidi", "isolate");
});

test("a reload shows the same lines as were there", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.enter(room);
  const said = [
    "plain",
    "and again",
    "see http://example.com/path, and https://한국.example/길?x=1",
    "가나다 https://example.com/에서 봐요",
    "(https://example.com/a_(b))",
    "  indented\n\n  lines  ",
    "www.example.com a@example.com",
    "https://example.com/a,b;c!",
    '"https://example.com/q"',
  ];
  for (const words of said) await ann.say(words);
  await ben.say("hello");
  await ann.say("and once more");
  await ann.hears("and once more");
  await expect(ann.lines.locator(".line__unsent")).toHaveCount(0);
  const shown = () =>
    ann.lines.evaluateAll((lines) =>
      lines.map((line) => [
        [...line.classList].sort().join(" "),
        line.getAttribute("data-seq"),
        [...line.querySelectorAll(".line__author, time, [data-words]")].map((part) => part.innerHTML).join(" | "),
      ]),
    );
  await expect(ann.lines).toHaveCount(13);
  await expect.poll(async () => (await shown()).every(([, seq]) => seq !== null)).toBe(true);
  const live = await shown();
  await ann.page.reload();
  await ann.live();
  expect(await shown()).toEqual(live);
});

test("the reader stays where they are, is told of new messages, and goes to them", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const room = await ann.open("Tea");
  await ben.enter(room);
  for (let i = 1; i <= 40; i += 1) await ben.say(`line ${i}`);
  await ann.hears(/line 40\s*$/);
  const button = ann.page.getByRole("button", { name: /new message/ });
  await expect(ann.lines.last()).toBeInViewport();
  await expect(button).toBeHidden();

  const where = () => ann.lines.filter({ hasText: /line 20\s*$/ }).evaluate((line) => line.getBoundingClientRect().top);
  await ann.lines.filter({ hasText: /line 20\s*$/ }).evaluate((line) => line.scrollIntoView({ block: "center" }));
  const before = await where();
  await ben.say("a new one");
  await expect(button).toHaveText("1 new message");
  await ben.say("another\nwith\nlines");
  await expect(button).toHaveText("2 new messages");
  expect(Math.abs((await where()) - before)).toBeLessThan(1);

  await button.click();
  await expect(ann.lines.last()).toBeInViewport();
  await expect(button).toBeHidden();
  await ben.say("seen at once");
  await expect(ann.lines.filter({ hasText: "seen at once" })).toBeInViewport();
});

test("older messages come as you scroll up, and nothing jumps", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Tea");
  for (let i = 1; i <= 130; i += 1) {
    await ann.page.request.post(`${room}/chat`, {
      data: { chat: `line ${i}` },
      headers: { Accept: "application/json" },
    });
  }
  await ann.page.reload();
  await ann.live();
  await expect(ann.lines).toHaveCount(50);
  await expect(ann.lines.last()).toBeInViewport();

  const oldest = ann.lines.filter({ hasText: /line 81\s*$/ });
  const top = () => oldest.evaluate((line) => line.getBoundingClientRect().top);
  await oldest.evaluate((line) => line.scrollIntoView({ block: "start" }));
  const before = await top();
  await expect(ann.lines.filter({ hasText: /line 40\s*$/ })).toHaveCount(1);
  expect(Math.abs((await top()) - before)).toBeLessThan(1);

  await ann.log.evaluate((log) => log.scrollTo({ top: -log.scrollHeight }));
  await expect(ann.lines.filter({ hasText: "joined" })).toHaveCount(1);
  await ann.log.evaluate((log) => log.scrollTo({ top: -log.scrollHeight }));
  await expect(ann.lines).toHaveCount(131);
  const texts = await ann.lines.locator(".line__text").allInnerTexts();
  expect(texts).toEqual(Array.from({ length: 130 }, (_, i) => `line ${i + 1}`));
  await expect(ann.page.getByText("Looking for older messages")).toBeHidden();
});

test("a reload brings the reader back to where they were", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Tea");
  for (let i = 1; i <= 180; i += 1) {
    await ann.page.request.post(`${room}/chat`, {
      data: { chat: `line ${i}` },
      headers: { Accept: "application/json" },
    });
  }
  const line = (/** @type {number} */ i) => ann.lines.filter({ hasText: new RegExp(`line ${i}\\s*$`) });
  const top = (/** @type {number} */ i) => line(i).evaluate((line) => line.getBoundingClientRect().top);
  await ann.page.reload();
  await ann.live();
  // Among the lines that a reload shows at once, and among those that it has to ask for.
  for (const place of [150, 30]) {
    while ((await line(place).count()) === 0) await ann.log.evaluate((log) => log.scrollTo({ top: -log.scrollHeight }));
    await line(place).evaluate((line) => line.scrollIntoView({ block: "center" }));
    const before = await top(place);
    await ann.page.reload();
    await ann.live();
    await expect.poll(async () => Math.abs((await top(place)) - before)).toBeLessThan(1);
  }
  await ann.page.goto("/");
  await ann.enter(room);
  await expect(line(180)).toBeInViewport(); // Whoever comes anew sees what is said now.
});

test("a half-written message survives a reload", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Tea");
  await ann.composer.fill("half a thou");
  await ann.page.reload();
  await expect(ann.composer).toHaveValue("half a thou");
});

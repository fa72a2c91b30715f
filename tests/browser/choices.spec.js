import { expect, test } from "./visitor.js";

test("what a reader chooses in a room holds for the next page, and for every tab", async ({ invite }) => {
  const ann = await invite({ colorScheme: "light" });
  await ann.open("Tea");
  await ann.page.getByText("This page", { exact: true }).click();
  const paper = () => ann.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();

  await ann.page.getByLabel("Theme").selectOption("Dark");
  await expect.poll(paper).not.toBe(light);
  const dark = await paper();
  await ann.page.getByLabel("Language").selectOption("한국어");
  await expect(ann.page.getByText("이 화면", { exact: true })).toBeVisible();
  await ann.live();
  expect(await paper()).toBe(dark);

  const tab = await ann.anotherTab();
  await tab.page.goto("/");
  await expect(tab.page.locator("html")).toHaveAttribute("lang", "ko");
  expect(await tab.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(dark);
  await tab.page.getByLabel("화면").selectOption("기기 설정대로");
  await expect
    .poll(() => tab.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor))
    .toBe(light);
  await tab.page.getByLabel("언어").selectOption("기기 설정대로");
  await expect(tab.page.locator("html")).toHaveAttribute("lang", "en");
});

test("without scripts the same choice is a form, and leads back", async ({ invite }) => {
  const ann = await invite({ javaScriptEnabled: false });
  await ann.page.goto("/?q=tea");
  await ann.page.getByLabel("Language").selectOption("한국어");
  await ann.page.getByRole("button", { name: "Keep" }).click();
  await expect(ann.page.locator("html")).toHaveAttribute("lang", "ko");
  expect(new URL(ann.page.url()).search).toBe("?q=tea");
});

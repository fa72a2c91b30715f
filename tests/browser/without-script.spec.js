import { expect, test } from "./visitor.js";

test("without script the lobby, the form, a room's history and leaving work", async ({ server, invite }) => {
  const ann = await invite();
  const room = await ann.open("Tea and trains", { max: "2" });
  await ann.say("Kettle is on. https://example.com/kettle");
  await ann.hears("Kettle is on.");

  const { page } = await invite({ javaScriptEnabled: false });
  await page.goto("/");
  await expect(page.locator("[data-room]")).toContainText("1 of 2");
  await page.getByRole("searchbox").fill("trains");
  await page.getByRole("searchbox").press("Enter");
  await expect(page).toHaveURL(/\?q=trains$/);
  await page.getByRole("link", { name: "Tea and trains" }).click();
  await expect(page).toHaveURL(room);
  await expect(page.getByText("Kettle is on."), "nobody reads unseen").toHaveCount(0);
  const notice = page.locator("noscript .notice");
  await expect(notice, "they cannot read along yet").toHaveText("To talk, allow this page to run JavaScript.");
  await page.getByRole("button", { name: "Come in and read" }).click();
  await expect(ann.people).toHaveCount(2);
  await expect(page).toHaveURL(room);
  await expect(page.getByText("Kettle is on.")).toBeInViewport();
  await expect(page.getByRole("link", { name: "https://example.com/kettle" })).toBeVisible();
  await expect(page.locator("time").first()).toBeVisible();
  await expect(notice).toBeVisible();
  await expect(notice).toHaveText("You can read along. To talk, allow this page to run JavaScript.");
  await expect(page.getByRole("textbox", { name: "Message" })).toBeHidden();
  await page.getByRole("button", { name: "Leave" }).click();
  await expect(page).toHaveURL(`${server.url}/`);

  await page.getByRole("link", { name: "Open a room" }).click();
  await page.getByLabel("How many people fit in?").fill("1");
  await page.getByRole("button", { name: "Open the room" }).click();
  await expect(page.getByText("Choose from 2 to 500.")).toBeVisible();
  await page.getByLabel("What is it about?").fill("Quiet");
  await page.getByLabel("How many people fit in?").fill("4");
  await page.getByRole("button", { name: "Open the room" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Quiet" })).toBeVisible();
});

test("without script a password is asked for, and a wrong one is said", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Just us", { password: "sesame" });
  await ann.say("hello");
  await ann.hears("hello");
  const { page } = await invite({ javaScriptEnabled: false });
  await page.goto("/");
  await page.getByRole("link", { name: "Just us" }).click();
  const dialog = page.getByRole("dialog", { name: "Just us" });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByText("That password is not right.")).toBeHidden();
  await dialog.getByLabel("Password").fill("open up");
  await dialog.getByRole("button", { name: "Enter" }).click();
  await expect(dialog.getByText("That password is not right.")).toBeVisible();
  await dialog.getByLabel("Password").fill("sesame");
  await dialog.getByRole("button", { name: "Enter" }).click();
  await expect(page).toHaveURL(room);
  await page.getByRole("button", { name: "Come in and read" }).click();
  await expect(page.getByText("hello")).toBeVisible();
  await page.goto("/");
  await page.goto(`/?room=${room.split("/").at(-1)}`);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
});

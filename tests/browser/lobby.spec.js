import { expect, test } from "./visitor.js";

test("a room appears, fills and goes while somebody looks on", async ({ invite }) => {
  const looker = await invite();
  const ann = await invite();
  const ben = await invite();
  await looker.page.goto("/");

  const room = await ann.open("Tea", { max: "2" });
  const card = looker.page.locator("[data-room]");
  await expect(card).toContainText("1 of 2");
  await expect(card.locator(".dots .dot:not(.dot--free)")).toHaveCount(1);
  await expect(card.getByText("full")).toBeHidden();
  await expect(looker.page.locator("[data-total]")).toHaveText("1");

  await ben.enter(room);
  await expect(card).toContainText("2 of 2");
  await expect(card.locator(".dots .dot:not(.dot--free)")).toHaveCount(2);
  await expect(card.getByText("full")).toBeVisible();

  await ben.leave();
  await ann.leave();
  await expect(card).toHaveCount(0);
  await expect(looker.page.locator("[data-total]")).toHaveText("0");
});

test("the list narrows while you type, and says when there is no such room", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  await ann.open("Tea and trains");
  await ben.open("Rust help");
  const looker = await invite();
  await looker.page.goto("/");
  const cards = looker.page.locator("[data-room]");
  await expect(cards).toHaveCount(2);

  const search = looker.page.getByRole("searchbox", { name: "Find a room" });
  await search.pressSequentially("trains");
  await expect(cards).toHaveCount(1);
  await expect(cards).toContainText("Tea and trains");
  await expect(looker.page).toHaveURL(/\?q=trains$/);

  await search.fill("bagpipes");
  await expect(looker.page.getByText("No room is called “bagpipes”.")).toBeVisible();
  await looker.page.getByRole("link", { name: "All rooms" }).click();
  await expect(cards).toHaveCount(2);
});

test("a room that does not fit the search stays out of it", async ({ invite }) => {
  const looker = await invite();
  await looker.page.goto("/?q=tea");
  const ann = await invite();
  await ann.open("Rust help");
  const ben = await invite();
  await ben.open("Green tea");
  await expect(looker.page.locator("[data-room]")).toHaveText([/Green tea/]);
});

test("more than fifty rooms are shown on pages", async ({ invite }) => {
  const ann = await invite();
  await ann.page.goto("/");
  for (let i = 1; i <= 53; i += 1) {
    await ann.page.request.post("/room", { form: { title: `Room ${i}`, max: "5", password: "" } });
  }
  await ann.page.goto("/");
  const cards = ann.page.locator("[data-room]");
  await expect(cards).toHaveCount(50);
  await expect(ann.page.locator("[data-total]")).toHaveText("53");
  await ann.page.getByRole("link", { name: "Next" }).click();
  await expect(cards).toHaveCount(3);
  await expect(ann.page.getByText("2 of 2")).toBeVisible();
  await ann.page.getByRole("link", { name: "Previous" }).click();
  await expect(cards).toHaveCount(50);
});

test("a wrong password is said in the dialog, the right one opens the room", async ({ invite }) => {
  const ann = await invite();
  await ann.open("Just us", { password: "sesame" });
  const ben = await invite();
  await ben.page.goto("/");
  const link = ben.page.getByRole("link", { name: "Just us" });
  await expect(ben.page.locator("[data-room]").getByText("locked")).toBeVisible();

  await link.click();
  const dialog = ben.page.getByRole("dialog", { name: "Just us" });
  const field = dialog.getByLabel("Password");
  await expect(field).toBeFocused();
  await field.fill("open up");
  await field.press("Enter");
  await expect(dialog.getByText("That password is not right. Please try again.")).toBeVisible();
  await expect(field).toBeFocused();
  await expect(field).toHaveAttribute("aria-invalid", "true");

  await ben.page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(link).toBeFocused();

  await link.press("Enter");
  await expect(dialog.getByText("That password is not right.")).toBeHidden();
  await field.fill("sesame");
  await dialog.getByRole("button", { name: "Enter" }).click();
  await ben.live();
  await expect(ann.people).toHaveCount(2);
});

test("a link to a room with a password asks for it, without calling it wrong", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Just us", { password: "sesame" });
  const ben = await invite();
  await ben.page.goto(room);
  const dialog = ben.page.getByRole("dialog", { name: "Just us" });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByText("That password is not right.")).toBeHidden();
  await dialog.getByLabel("Password").fill("sesame");
  await dialog.getByRole("button", { name: "Enter" }).click();
  await ben.live();
});

test("a link with the password in it opens the room, and does not keep it in the address", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Just us", { password: "sesame" });
  const ben = await invite();
  await ben.enter(`${room}?password=sesame`);
  expect(ben.page.url()).toBe(room);
});

test("whoever knows the password is not asked for it twice", async ({ invite }) => {
  const ann = await invite();
  const room = await ann.open("Just us", { password: "sesame" });
  const ben = await invite();
  await ben.enter(`${room}?password=sesame`);
  await ben.page.goto("/");
  await ben.page.getByRole("link", { name: "Just us" }).click();
  await ben.live();
});

test("an unknown room and a full one are said in words", async ({ invite }) => {
  const ann = await invite();
  const ben = await invite();
  const carl = await invite();
  const room = await ann.open("Tea", { max: "2" });
  await ben.enter(room);

  await carl.page.goto(room);
  await expect(carl.page.getByRole("alert")).toContainText("This room is full. Try again when somebody has left.");
  await carl.page.goto("/room/aaaaaaaaaaaaaaaa");
  await expect(carl.page.getByRole("alert")).toContainText("This room is gone.");
  await carl.page.goto("/?error=<b>made up</b>");
  await expect(carl.page.getByRole("alert")).toHaveCount(0);
  const response = await carl.page.goto("/no/such/page");
  expect(response?.status()).toBe(404);
  await expect(carl.page.getByRole("heading", { name: "There is nothing here." })).toBeVisible();
});

test("the lobby is right again after it was offline", async ({ invite }) => {
  const looker = await invite();
  const ann = await invite();
  await ann.open("Tea");
  await looker.page.goto("/");
  await expect(looker.page.locator("[data-room]")).toHaveText([/Tea/]);
  await looker.page.context().setOffline(true);
  await expect(looker.page.getByRole("status")).toContainText("The list stands still");
  await ann.leave();
  await ann.open("Coffee");
  await looker.page.context().setOffline(false);
  await expect(looker.page.locator("[data-room]")).toHaveText([/Coffee/]);
  await expect(looker.page.getByRole("status")).toContainText("live again");
});

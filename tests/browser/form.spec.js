import { expect, test } from "./visitor.js";

test("what is wrong with a new room is said at its fields, and what was right is kept", async ({ invite }) => {
  const { page } = await invite();
  await page.goto("/room");
  const title = page.getByLabel("What is it about?");
  const max = page.getByLabel("How many people fit in?");
  const submit = page.getByRole("button", { name: "Open the room" });

  await title.fill("   ");
  await max.fill("501");
  await page.getByLabel("Password").fill("x".repeat(129));
  await submit.click();
  await expect(title).toHaveAccessibleDescription(/Give the room a name, so that people find it\./);
  await expect(max).toHaveAccessibleDescription(/Choose from 2 to 500\./);
  await expect(page.getByLabel("Password")).toHaveAccessibleDescription(/Please keep it to 128 characters\./);
  await expect(title).toHaveAttribute("aria-invalid", "true");
  await expect(title).toBeFocused();
  await expect(max).toHaveValue("501");

  await title.fill("🫖".repeat(61));
  await max.fill("ten");
  await submit.click();
  await expect(title).toHaveAccessibleDescription(/Please keep it to 60 characters\./);
  await expect(max).toHaveAccessibleDescription(/Write a whole number, such as 8\./);

  await title.fill("🫖".repeat(60));
  await max.fill("2");
  await submit.click();
  await page.waitForURL(/\/room\/[a-z2-7]{16}$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("🫖".repeat(60));
});

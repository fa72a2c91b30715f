import { expect, test } from "./visitor.js";

test("a Korean reader gets Korean pages, names and messages, and both languages meet in one room", async ({
  invite,
}) => {
  const ann = await invite();
  const minsu = await invite({ locale: "ko-KR", timezoneId: "Asia/Seoul" });
  await minsu.page.goto("/");
  await expect(minsu.page.locator("html")).toHaveAttribute("lang", "ko");
  await expect(minsu.page).toHaveTitle("Huechat: 색 하나로 만나는 대화방");
  await expect(minsu.page.getByText("지금은 조용하네요.")).toBeVisible();

  await minsu.page.getByRole("link", { name: "방 열기", exact: true }).click();
  await minsu.page.getByRole("button", { name: "방 열기" }).click();
  await expect(minsu.page.getByLabel("무슨 이야기를 나눌까요?")).toHaveAccessibleDescription(/방 이름을 지어 주세요/);

  const room = await minsu.open("차 한 잔");
  await expect(minsu.page.getByRole("heading", { name: "아직 혼자예요." })).toBeVisible();
  await ann.enter(room);
  const [korean, english] = [await minsu.name(), await ann.name()];
  expect(korean).toMatch(/^[가-힣]+ \d+$/);
  expect(english).toMatch(/^[A-Z][a-z]+ \d+$/);
  await expect(minsu.lines.last()).toContainText(`${english.split(" ")[1]} 님이 들어왔어요`);
  await expect(ann.lines.last()).toContainText(`${english} joined`);
  await minsu.say("안녕하세요");
  await ann.hears("안녕하세요");
  await minsu.page.reload();
  await minsu.live();
  await minsu.hears(`${english.split(" ")[1]} 님이 들어왔어요`);

  await minsu.page.goto("/room/aaaaaaaaaaaaaaaa");
  await expect(minsu.page.getByRole("alert")).toContainText("사라진 방이에요.");
});

test("times are those of the reader's zone", async ({ invite }) => {
  const berlin = await invite();
  const seoul = await invite({ timezoneId: "Asia/Seoul" });
  const room = await berlin.open("Tea");
  await seoul.enter(room);
  await berlin.say("what time is it?");
  await seoul.hears("what time is it?");
  const clock = (/** @type {import("./visitor.js").Visitor} */ one) =>
    one.lines.filter({ hasText: "what time is it?" }).locator("time").innerText();
  const hours = (/** @type {string} */ text) => Number(/(\d+):\d\d/.exec(text)?.[1]);
  await expect(berlin.lines.last()).toHaveAttribute("data-seq");
  const apart = (hours(await clock(seoul)) - hours(await clock(berlin)) + 24) % 24;
  expect([7, 8]).toContain(apart); // Summer or winter in Berlin.
});

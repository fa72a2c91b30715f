// One browser, one worker: each test has a server and a database of its own. The second project tells the main
// story again on MongoDB, and that a restart loses and doubles nothing; the rest is the same to a page.

import { defineConfig } from "@playwright/test";

const chromium = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

export default defineConfig({
  testDir: ".",
  // Pictures for the documents are taken when they are asked for: `make screenshots`.
  testIgnore: process.env.SCREENSHOTS === "1" ? [] : ["screenshots.spec.js"],
  outputDir: "../../test-results",
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  timeout: 45_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: { browserName: "chromium", launchOptions: chromium },
  projects: [
    { name: "sqlite" },
    { name: "mongo", testMatch: ["story", "restart"].map((name) => `${name}.spec.js`) },
  ],
});

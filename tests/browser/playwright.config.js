// One worker: each test has a server and a database of its own. The project "mongo" tells the main story again on
// MongoDB, and that a restart loses and doubles nothing; the rest is the same to a page. Notifications need a browser
// with windows; the other tests are quicker without.

import { defineConfig } from "@playwright/test";

const { CHROMIUM = "/usr/bin/chromium", CHROMIUM_WITH_WINDOWS = CHROMIUM } = process.env;

const chromium = {
  executablePath: CHROMIUM,
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
  outputDir: "../../test-results",
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  timeout: 45_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: { browserName: "chromium", launchOptions: chromium },
  projects: [
    // Pictures for the documents are taken when they are asked for: `make screenshots`.
    {
      name: "sqlite",
      testIgnore: ["alerts.spec.js", ...(process.env.SCREENSHOTS === "1" ? [] : ["screenshots.spec.js"])],
    },
    { name: "mongo", testMatch: ["story", "restart"].map((name) => `${name}.spec.js`) },
    {
      name: "windows",
      testMatch: "alerts.spec.js",
      use: { launchOptions: { ...chromium, executablePath: CHROMIUM_WITH_WINDOWS } },
    },
  ],
});

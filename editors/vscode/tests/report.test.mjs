// The report page of a real run, in a real browser.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("the report of a run that diverges", async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), "deeplocalize-report-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  await cp(
    path.join(root, "fixtures/deeplocalize-40/48385830-digits-mlp/faulty.py"),
    path.join(folder, "train.py"),
  );
  const run = spawnSync(
    process.env.DEEPLOCALIZE_TEST_BINARY,
    [
      "run",
      "--no-progress",
      "--output-format",
      "html",
      "--python",
      process.env.DEEPLOCALIZE_TEST_PYTHON,
      "train.py",
    ],
    { cwd: folder, encoding: "utf8", maxBuffer: 64 << 20 },
  );
  assert.equal(run.status, 1, run.stderr);
  const file = path.join(folder, "report.html");
  await writeFile(file, run.stdout);

  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  context.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) problems.push(`loads ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);

  await context.test("verdict, source line and the moment it broke", async () => {
    assert.equal(await page.locator("#verdict").textContent(), "faulty");
    assert.equal(await page.locator("pre mark").first().textContent(), "3.0");
    await page.getByText(/Not finite from step \d+ on/).waitFor();
    assert.ok((await page.locator(".plot canvas").count()) >= 6);
  });
  await context.test("evidence leads to its step in all plots", async () => {
    await page.locator("button.evidence").first().click();
    await page
      .locator(".plot output", { hasText: /^step \d+:/ })
      .nth(2)
      .waitFor();
  });
  await context.test("the keyboard moves through the steps", async () => {
    const plot = page.locator(".plot").first();
    await plot.focus();
    await page.keyboard.press("Home");
    await plot.locator("output", { hasText: /^step 1:/ }).waitFor();
    await page.keyboard.press("ArrowRight");
    await plot.locator("output", { hasText: /^step 2:/ }).waitFor();
  });
  await context.test("dark, and a phone's width", async () => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await page.getByRole("button", { name: "Switch between dark and light" }).click();
    assert.notEqual(await background(), light);
    await page.setViewportSize({ width: 360, height: 740 });
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await page.waitForTimeout(300);
    assert.ok((await overflow()) <= 0, `${await overflow()} pixels too wide`);
    const folder = process.env.DEEPLOCALIZE_TEST_PICTURES;
    await page.setViewportSize({ width: 1280, height: 1400 });
    if (folder) await page.screenshot({ path: path.join(folder, "report.png") });
  });
  assert.deepEqual(problems, []);
});

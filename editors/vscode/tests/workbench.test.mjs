import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { open, root } from "./workbench.mjs";

const SOFTMAX = "fixtures/deeplocalize-40/31880720-ones-zeros/faulty.py";
const DIVERGES = "fixtures/deeplocalize-40/48934338-quadratic/faulty.py";
const SLOW = "editors/tests/slow.py";
const MINUTE = 60_000;

test("a trusted folder: squiggle, quick fix, localisation, cancel", async (context) => {
  const workbench = await open({ "train.py": SOFTMAX, "diverges.py": DIVERGES, "slow.py": SLOW });
  context.after(() => workbench.close());
  const { page } = workbench;

  await context.test("the finding stands on the exact columns", async () => {
    const source = (await readFile(path.join(root, SOFTMAX), "utf8")).split("\n");
    const line = source.findIndex((text) => text.includes('Activation("softmax")')) + 1;
    const column = source[line - 1].indexOf('"softmax"') + 1;
    await workbench.openFile("train.py");
    await page.locator(".squiggly-error").first().waitFor({ timeout: MINUTE });
    await workbench.command("Problems: Focus on Problems View");
    await page.getByText(`[Ln ${line}, Col ${column}]`).waitFor();
    assert.equal(await workbench.problems().count(), 1);
    await page.locator(".squiggly-error").first().waitFor();
    const squiggle = await page.locator(".squiggly-error").first().boundingBox();
    const text = await page
      .locator(".view-line span", { hasText: /^"softmax"$/ })
      .first()
      .boundingBox();
    assert.ok(Math.abs(squiggle.x - text.x) < 2 && Math.abs(squiggle.width - text.width) < 2, "columns");
    await workbench.picture("squiggle");
  });

  await context.test("a quick fix changes the buffer, one undo takes it back", async () => {
    const before = await readFile(path.join(workbench.folder, "train.py"), "utf8");
    await workbench.activate("train.py");
    await workbench.goTo(22, 25);
    await page.keyboard.press("Control+.");
    // The preferred fix is the one that Enter takes.
    await page
      .locator(".action-widget .monaco-list-row.focused", { hasText: "Use a sigmoid output" })
      .waitFor();
    await workbench.picture("quick-fix");
    await page.keyboard.press("Enter");
    await page.locator(".squiggly-error").first().waitFor({ state: "detached" });
    const after = await workbench.saved("train.py");
    assert.equal(after, before.replace('Activation("softmax")', 'Activation("sigmoid")'));
    await page.keyboard.press("Control+z");
    assert.equal(await workbench.saved("train.py"), before);
  });

  await context.test("the code lens localises the fault, with progress", async () => {
    await workbench.openFile("diverges.py");
    const status = workbench.status();
    const shown = await workbench.noteStatus();
    await page.locator(".codelens-decoration a", { hasText: "Localize faults" }).first().click();
    await status.getByText("DeepLocalize: faulty").waitFor({ timeout: 2 * MINUTE });
    assert.match(await shown(), /Keras 3|epoch \d/);
    await page.locator(".squiggly-error").first().waitFor();
    await workbench.picture("localised");
  });

  await context.test("all fixes are tried, and the best is offered with its effect", async () => {
    const lines = (await readFile(path.join(root, DIVERGES), "utf8")).split("\n");
    const line = lines.findIndex((text) => text.includes("learning_rate=0.1")) + 1;
    const column = lines[line - 1].indexOf("0.1") + 1;
    await workbench.activate("diverges.py");
    await workbench.goTo(line, column);
    await page.keyboard.press("Control+.");
    const shown = await workbench.noteStatus();
    await workbench.choose("Try all fixes");
    // The verdict of the last run stands there until this one has begun.
    const over = () => window.noted.some((text) => text.includes("DeepLocalize: faulty"));
    await page.waitForFunction(over, undefined, { timeout: 4 * MINUTE });
    assert.match(await shown(), /trying/);
    await workbench.goTo(line, column);
    await page.keyboard.press("Control+.");
    await page
      .locator(".action-widget .monaco-list-row", { hasText: /explained variance .+ → .+ after \d+ steps/ })
      .first()
      .waitFor();
    await workbench.picture("measured-fix");
    await page.keyboard.press("Escape");
  });

  await context.test("the report opens beside the script, with its plots", async () => {
    await workbench.command("DeepLocalize: Show the report of the last run");
    const report = page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
    await report.locator("#verdict", { hasText: "faulty" }).waitFor();
    await report.locator(".plot canvas").first().waitFor();
    await workbench.picture("report");
    await page.locator(".tab", { hasText: "DeepLocalize report" }).locator(".codicon-close").click();
  });

  await context.test("a run can be cancelled", async () => {
    const status = workbench.status();
    await workbench.openFile("slow.py");
    await page.locator(".codelens-decoration a", { hasText: "Localize faults" }).first().click();
    await page.getByText(/Localizing… \(cancel\)/).waitFor();
    await status.click();
    await page
      .locator(".codelens-decoration a", { hasText: "Localize faults" })
      .first()
      .waitFor({ timeout: MINUTE });
    await status.getByText("DeepLocalize", { exact: true }).waitFor();
  });
});

test("a notebook: cells are one program, a fix changes its cell", async (context) => {
  const cells = [
    ["import keras\n", "from keras import layers"],
    ["model = keras.Sequential([\n", '    keras.Input((20,)), layers.Dense(1, activation="softmax")\n', "])"],
    ['model.compile(loss="binary_crossentropy", optimizer="adam")'],
  ];
  const text = JSON.stringify({
    cells: cells.map((source) => ({
      cell_type: "code",
      execution_count: null,
      metadata: {},
      outputs: [],
      source,
    })),
    metadata: { language_info: { name: "python" } },
    nbformat: 4,
    nbformat_minor: 5,
  });
  const workbench = await open({ "train.ipynb": { text } });
  context.after(() => workbench.close());
  const { page } = workbench;
  await workbench.openFile("train.ipynb");
  const squiggle = page.locator(".notebookOverlay .squiggly-error").first();
  await squiggle.waitFor({ timeout: MINUTE });
  await workbench.picture("notebook");
  const softmax = page.locator(".notebookOverlay .view-line span", { hasText: '"softmax"' }).last();
  await softmax.click();
  await page.keyboard.press("Control+.");
  await page
    .locator(".action-widget .monaco-list-row.focused", { hasText: "Use a sigmoid output" })
    .waitFor();
  await page.keyboard.press("Enter");
  await squiggle.waitFor({ state: "detached" });
  const saved = JSON.parse(await workbench.saved("train.ipynb"));
  assert.equal(saved.cells[1].source.join(""), cells[1].join("").replace("softmax", "sigmoid"));
});

test("restricted mode: read by the executable that comes with the extension, never run", async (context) => {
  const workbench = await open({ "train.py": SOFTMAX }, { trust: false, bundled: true });
  context.after(() => workbench.close());
  const { page } = workbench;
  await workbench.openFile("train.py");
  await page.locator(".squiggly-error").first().waitFor({ timeout: MINUTE });
  await page.locator(".codelens-decoration a", { hasText: "Localize faults" }).first().click();
  await page.getByText("this workspace is not trusted").first().waitFor();
  await workbench.picture("restricted");
});

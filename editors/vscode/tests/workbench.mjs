// VS Code's real workbench and extension host (code-server) with the packaged extension, driven by Chromium.
import { spawn, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("../../../", import.meta.url));
const extension = fileURLToPath(new URL("../", import.meta.url));
const codeServer = process.env.DEEPLOCALIZE_TEST_CODE_SERVER;
const binary = process.env.DEEPLOCALIZE_TEST_BINARY;
const python = process.env.DEEPLOCALIZE_TEST_PYTHON;

/** Opens a folder that holds copies of the given files, or files with the given text, in the workbench. With
 * `bundled`, nothing says where the executable is, so that the extension takes the one it comes with. */
export async function open(files, { trust = true, bundled = false } = {}) {
  for (const [name, value] of Object.entries({
    DEEPLOCALIZE_TEST_CODE_SERVER: codeServer,
    DEEPLOCALIZE_TEST_BINARY: binary,
    DEEPLOCALIZE_TEST_PYTHON: python,
  })) {
    if (!value) throw new Error(`${name} is not set: run the tests with cargo xtask test --only vscode`);
  }
  const home = await mkdtemp(path.join(tmpdir(), "deeplocalize-vscode-"));
  const folder = path.join(home, "project");
  const data = path.join(home, "data");
  await mkdir(path.join(data, "User"), { recursive: true });
  await mkdir(folder);
  for (const [name, source] of Object.entries(files)) {
    if (typeof source === "string") await cp(path.join(root, source), path.join(folder, name));
    else await writeFile(path.join(folder, name), source.text);
  }
  const settings = {
    ...(bundled ? {} : { "deeplocalize.path": binary }),
    "deeplocalize.python": python,
    "editor.minimap.enabled": false,
    "workbench.startupEditor": "none",
    "workbench.colorTheme": "Default Dark Modern",
    "window.menuBarVisibility": "hidden",
    "workbench.layoutControl.enabled": false,
    "chat.commandCenter.enabled": false,
    "window.commandCenter": false,
    "telemetry.telemetryLevel": "off",
    "editor.hover.delay": 100,
    "files.autoSave": "off",
  };
  await writeFile(path.join(data, "User/settings.json"), JSON.stringify(settings));
  const entry = path.join(codeServer, "node_modules/code-server/out/node/entry.js");
  const where = ["--user-data-dir", data, "--extensions-dir", path.join(home, "extensions")];
  const environment = { ...process.env, HOME: home, XDG_CACHE_HOME: path.join(home, "cache") };
  const installed = spawnSync(
    process.execPath,
    [entry, ...where, "--install-extension", path.join(extension, "deeplocalize.vsix")],
    { env: environment, encoding: "utf8" },
  );
  if (installed.status !== 0) throw new Error(`the extension cannot be installed: ${installed.stderr}`);

  const port = await freePort();
  const server = spawn(
    process.execPath,
    [
      entry,
      ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry"],
      ...["--disable-update-check", "--disable-getting-started-override", ...where, folder],
    ],
    { env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  const log = [];
  server.stdout.on("data", (data) => log.push(data));
  server.stderr.on("data", (data) => log.push(data));
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
      ...["--disable-background-networking", "--disable-component-update"],
    ],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 });
  const close = async () => {
    await browser.close();
    try {
      process.kill(-server.pid, "SIGKILL");
    } catch {}
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await reach(page, `http://127.0.0.1:${port}/?folder=${folder}`);
    const dialog = page.getByText("Do you trust the authors of the files in this folder?");
    await dialog.waitFor({ timeout: 60_000 });
    const choice = trust ? "Yes, I trust the authors" : "No, I don't trust the authors";
    await page.getByRole("button", { name: choice }).click();
  } catch (error) {
    await page.screenshot({ path: path.join(tmpdir(), "deeplocalize-vscode-failed.png") }).catch(() => {});
    await close();
    throw new Error(`${error}\n${Buffer.concat(log)}`);
  }
  return new Workbench(page, folder, close);
}

/** The workbench with one folder open. */
export class Workbench {
  constructor(page, folder, close) {
    this.page = page;
    this.folder = folder;
    this.close = close;
  }

  /** Opens a file of the folder, as a person does with Ctrl+P. */
  async openFile(name) {
    const input = await this.quickInput("Control+p");
    await input.fill(name);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().click();
    await this.page.locator(`.tab[data-resource-name="${name}"]`).waitFor();
  }

  /** The input at the top of the window. A key that is pressed while something else closes is lost: press it again. */
  async quickInput(key) {
    const input = this.page.locator(".quick-input-widget input").first();
    for (let tries = 0; ; tries += 1) {
      await this.page.keyboard.press(key);
      try {
        await input.waitFor({ timeout: 3000 });
        return input;
      } catch (error) {
        if (tries === 5) throw error;
      }
    }
  }

  /** Goes back to an open file. */
  async activate(name) {
    await this.page.locator(`.tab[data-resource-name="${name}"]`).click();
  }

  /** Runs a command of the palette by its title. */
  async command(title) {
    const input = await this.quickInput("F1");
    await input.fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
  }

  /** Goes to a line and column, counted from 1. */
  async goTo(line, column) {
    const input = await this.quickInput("Control+g");
    await input.fill(`:${line},${column}`);
    await this.page.keyboard.press("Enter");
  }

  /** Takes the code action with this title. A click would land on what covers the window meanwhile. */
  async choose(title) {
    const rows = this.page.locator(".action-widget .monaco-list-row.action");
    const wanted = rows.and(this.page.locator(".focused", { hasText: title }));
    await rows.first().waitFor();
    for (let row = 0; row < (await rows.count()) && (await wanted.count()) === 0; row += 1) {
      await this.page.keyboard.press("ArrowDown");
      await this.page.waitForTimeout(50);
    }
    await wanted.waitFor();
    await this.page.keyboard.press("Enter");
  }

  /** Rows of the problems view that are ours. */
  problems() {
    return this.page.locator(".markers-panel .monaco-list-row .marker-source", { hasText: "deeplocalize" });
  }

  /** Text of the active editor as it is saved. */
  async saved(name) {
    await this.page.keyboard.press("Control+s");
    await this.page.locator(`.tab.dirty[data-resource-name="${name}"]`).waitFor({ state: "detached" });
    return readFile(path.join(this.folder, name), "utf8");
  }

  /** Text of our item in the status bar. */
  status() {
    return this.page.locator('.statusbar-item[id="deeplocalize.deeplocalize.deeplocalize"]');
  }

  /**
   * Notes everything our item shows from now on; gives a function that tells it. A run may be over sooner than a test can
   * look for what is shown meanwhile.
   */
  async noteStatus() {
    await this.status().evaluate((item) => {
      window.noted = [];
      new MutationObserver(() => window.noted.push(item.textContent)).observe(item, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    });
    return () => this.page.evaluate(() => window.noted.join("\n"));
  }

  /** Keeps a picture for the README when asked to. */
  async picture(name) {
    const folder = process.env.DEEPLOCALIZE_TEST_PICTURES;
    if (folder) await this.page.screenshot({ path: path.join(folder, `${name}.png`) });
  }
}

async function reach(page, url) {
  for (let tries = 0; ; tries += 1) {
    try {
      await page.goto(url);
      return;
    } catch (error) {
      if (tries === 60) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

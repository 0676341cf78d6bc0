import { readFile } from "node:fs/promises";
import * as vscode from "vscode";

let panel: vscode.WebviewPanel | undefined;

/** Shows a report page beside the script. The page is self-contained: it loads nothing from anywhere. */
export async function showReport(path: string): Promise<void> {
  const page = await readFile(path, "utf8");
  if (!panel) {
    panel = vscode.window.createWebviewPanel(
      "deeplocalize.report",
      "DeepLocalize report",
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, enableFindWidget: true, retainContextWhenHidden: true },
    );
    panel.onDidDispose(() => {
      panel = undefined;
    });
  }
  panel.webview.html = page;
  panel.reveal(undefined, true);
}

import * as vscode from "vscode";
import type { Server } from "./client";
import { showReport } from "./report";

/** Ids of the server's commands, which the language client registers under the same names. */
const RUN = "deeplocalize.run";
const CHECK = "deeplocalize.check";
const CANCEL = "deeplocalize.cancel";
const CLEAR = "deeplocalize.clear";
const REPORT = "deeplocalize.report";

/** Everything in the command palette. */
export function registerCommands(server: Server): vscode.Disposable[] {
  const commands: Record<string, () => unknown> = {
    localizeFile: () => run(server, {}),
    tryFixesFile: () => run(server, { tryFixes: "always" }),
    checkFile: () => withScript((uri) => server.execute(CHECK, uri)),
    cancelRun: () => server.execute(CANCEL),
    clearFindings: () => server.execute(CLEAR),
    restart: () => server.restart(),
    showLog: () => server.showLog(),
    showReport: async () => {
      const answer = await server.execute<{ path: string }>(REPORT);
      if (answer) {
        await showReport(answer.path);
      }
    },
    debugInformation: async () => {
      const content = JSON.stringify(server.information(), undefined, 2);
      const document = await vscode.workspace.openTextDocument({ language: "json", content });
      await vscode.window.showTextDocument(document);
    },
  };
  return Object.entries(commands).map(([name, command]) =>
    vscode.commands.registerCommand(`deeplocalize.${name}`, command),
  );
}

async function run(server: Server, settings: object): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    const why = "Localizing faults runs the script, and this workspace is not trusted.";
    const manage = "Manage trust";
    if ((await vscode.window.showWarningMessage(why, manage)) === manage) {
      await vscode.commands.executeCommand("workbench.trust.manage");
    }
    return;
  }
  await withScript((uri) => server.execute(RUN, uri, settings));
}

async function withScript(action: (uri: string) => Promise<unknown>): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "python") {
    void vscode.window.showInformationMessage("Open a Python script first.");
    return;
  }
  await action(document.uri.toString());
}

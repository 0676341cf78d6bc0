import * as vscode from "vscode";
import { Server } from "./client";
import { registerCommands } from "./commands";
import { onInterpreterChange } from "./python";
import { StatusItem } from "./status";

/** Called by VS Code when the first Python file is opened. */
export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const status = new StatusItem();
  const server = new Server(context, status);
  context.subscriptions.push(status, server, ...registerCommands(server));
  context.subscriptions.push(
    // Trust is told to the server at its start, apart from the settings, so that no setting can grant it.
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("deeplocalize.path")) {
        void server.restart();
      }
    }),
  );
  await server.restart();
  const interpreter = await onInterpreterChange(() => void server.restart());
  if (interpreter) {
    context.subscriptions.push(interpreter);
  }
}

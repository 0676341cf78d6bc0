import { existsSync } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { environmentOfPython } from "./python";

const NAME = process.platform === "win32" ? "deeplocalize.exe" : "deeplocalize";

/** Where the server was found, and how. */
export interface Binary {
  readonly path: string;
  readonly from: "setting" | "PATH" | "interpreter" | "bundled";
}

/**
 * The server's executable: the setting, else the first one on PATH, else that in the selected interpreter's
 * environment, else the bundled one. In restricted mode settings of the workspace do not reach us and the
 * workspace's interpreter is not asked.
 */
export async function findBinary(context: vscode.ExtensionContext): Promise<Binary | undefined> {
  const setting = vscode.workspace.getConfiguration("deeplocalize").get<string>("path");
  if (setting) {
    return { path: setting, from: "setting" };
  }
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const candidate = path.join(folder, NAME);
    if (folder && existsSync(candidate)) {
      return { path: candidate, from: "PATH" };
    }
  }
  if (vscode.workspace.isTrusted) {
    const environment = await environmentOfPython();
    const candidate = environment && path.join(environment, NAME);
    if (candidate && existsSync(candidate)) {
      return { path: candidate, from: "interpreter" };
    }
  }
  const bundled = context.asAbsolutePath(path.join("server", NAME));
  return existsSync(bundled) ? { path: bundled, from: "bundled" } : undefined;
}

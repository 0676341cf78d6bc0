import * as path from "node:path";
import * as vscode from "vscode";

/** What we use of the Python extension's public interface. */
interface PythonExtension {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
    resolveEnvironment(environment: {
      path: string;
    }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
  };
}

/** The Python extension, where there is one; nothing here depends on it. */
async function pythonExtension(): Promise<PythonExtension | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  try {
    const exports = extension && (await extension.activate());
    return exports?.environments ? exports : undefined;
  } catch {
    return undefined;
  }
}

/** The interpreter selected in the Python extension. */
export async function selectedInterpreter(): Promise<string | undefined> {
  const python = await pythonExtension();
  if (!python) {
    return undefined;
  }
  const selected = python.environments.getActiveEnvironmentPath();
  const resolved = await python.environments.resolveEnvironment(selected);
  return resolved?.executable.uri?.fsPath;
}

/** The folder with the executables of the selected interpreter's environment. */
export async function environmentOfPython(): Promise<string | undefined> {
  const interpreter = await selectedInterpreter();
  return interpreter && path.dirname(interpreter);
}

/** Calls back when another interpreter is selected. */
export async function onInterpreterChange(callback: () => void): Promise<vscode.Disposable | undefined> {
  const python = await pythonExtension();
  return python?.environments.onDidChangeActiveEnvironmentPath(callback);
}

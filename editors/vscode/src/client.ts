import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";
import { type Binary, findBinary } from "./binary";
import { selectedInterpreter } from "./python";
import type { Status, StatusItem } from "./status";

/** The language server and its client. */
export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private binary: Binary | undefined;
  private readonly log = vscode.window.createOutputChannel("DeepLocalize", { log: true });
  /** Starts and stops happen one after the other, however fast they are asked for. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly status: StatusItem,
  ) {}

  /** Starts the server, again if it runs. */
  restart(): Promise<void> {
    const next = this.turn.then(async () => {
      await this.stop();
      await this.start();
    });
    this.turn = next.catch((error) => this.log.error(String(error)));
    return next;
  }

  private async start(): Promise<void> {
    this.binary = await findBinary(this.context);
    if (!this.binary) {
      const why = "The executable `deeplocalize` was not found: install it, or set `deeplocalize.path`.";
      this.status.failed(why);
      const settings = "Open settings";
      void vscode.window.showErrorMessage(why, settings).then((choice) => {
        if (choice === settings) {
          void vscode.commands.executeCommand("workbench.action.openSettings", "deeplocalize.path");
        }
      });
      return;
    }
    const run = { command: this.binary.path, args: ["server"] };
    const server: ServerOptions = { run, debug: run };
    const settings = await this.settings();
    const options: LanguageClientOptions = {
      documentSelector: [
        { scheme: "file", language: "python" },
        { scheme: "untitled", language: "python" },
        { scheme: "vscode-notebook-cell", language: "python" },
      ],
      outputChannel: this.log,
      initializationOptions: { trusted: vscode.workspace.isTrusted, status: true, settings },
      middleware: {
        workspace: {
          // The interpreter selected in the Python extension stands where the setting is empty.
          configuration: async (parameters, token, next) => {
            const sections = await next(parameters, token);
            if (!Array.isArray(sections)) {
              return sections;
            }
            const interpreter = await this.interpreter();
            return sections.map((section, index) =>
              parameters.items[index]?.section === "deeplocalize" && section && !section.python && interpreter
                ? { ...section, python: interpreter }
                : section,
            );
          },
        },
      },
    };
    this.client = new LanguageClient("deeplocalize", "DeepLocalize", server, options);
    this.client.onNotification("deeplocalize/status", (status: Status) => this.status.show(status));
    this.status.show({ state: "idle" });
    try {
      await this.client.start();
    } catch (error) {
      this.status.failed(`The server did not start: ${error}`);
      throw error;
    }
  }

  private async settings(): Promise<object> {
    const settings = { ...vscode.workspace.getConfiguration("deeplocalize") } as Record<string, unknown>;
    const python = settings.python || (await this.interpreter());
    return { ...settings, python };
  }

  /** The workspace's interpreter is not asked for in restricted mode: asking may run it. */
  private interpreter(): Promise<string | undefined> {
    return vscode.workspace.isTrusted ? selectedInterpreter() : Promise.resolve(undefined);
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.needsStop()) {
      await client.stop();
    }
    await client?.dispose();
  }

  /** Executes a command of the server; what it refuses is shown and gives `undefined`. */
  async execute<Answer>(command: string, ...parameters: unknown[]): Promise<Answer | undefined> {
    if (!this.client?.isRunning()) {
      void vscode.window.showWarningMessage("DeepLocalize's server is not running.");
      return undefined;
    }
    try {
      return await this.client.sendRequest<Answer>("workspace/executeCommand", {
        command,
        arguments: parameters,
      });
    } catch (error) {
      void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Shows the server's log. */
  showLog(): void {
    this.log.show(true);
  }

  /** What a bug report needs. */
  information(): Record<string, unknown> {
    return {
      extension: this.context.extension.packageJSON.version,
      vscode: vscode.version,
      platform: `${process.platform} ${process.arch}`,
      trusted: vscode.workspace.isTrusted,
      binary: this.binary,
      server: this.client?.initializeResult?.serverInfo,
      capabilities: this.client?.initializeResult?.capabilities,
      settings: vscode.workspace.getConfiguration("deeplocalize"),
    };
  }

  dispose(): void {
    void this.stop();
    this.log.dispose();
  }
}

import * as vscode from "vscode";

/** What the server says of itself (`deeplocalize/status`). */
export interface Status {
  readonly state: "idle" | "running";
  /** Name of the script that runs or ran last. */
  readonly script?: string;
  /** How far the run has got, or what came out of it. */
  readonly message?: string;
  readonly verdict?: "faulty" | "healthy" | "inconclusive" | "crashed";
}

const ICONS = {
  faulty: "$(error)",
  healthy: "$(pass)",
  inconclusive: "$(question)",
  crashed: "$(error)",
} as const;

/** The item in the status bar: idle, training with step and loss, verdict. */
export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "deeplocalize",
    vscode.StatusBarAlignment.Right,
    90,
  );

  constructor() {
    this.item.name = "DeepLocalize";
    this.show({ state: "idle" });
    this.item.show();
  }

  /** Shows the state of the server. */
  show(status: Status): void {
    if (status.state === "running") {
      this.set(
        `$(loading~spin) ${status.message ?? "starting"}`,
        `Running ${status.script ?? ""}; click to cancel`,
      );
      this.item.command = "deeplocalize.cancelRun";
      return;
    }
    this.item.command = status.verdict ? "deeplocalize.showReport" : "deeplocalize.showLog";
    if (status.verdict) {
      this.set(
        `${ICONS[status.verdict]} DeepLocalize: ${status.verdict}`,
        `${status.message ?? ""}\n\nClick for the report`,
      );
    } else {
      this.set("$(beaker) DeepLocalize", "Quick checks are on; click for the log");
    }
  }

  /** Shows that there is no server. */
  failed(why: string): void {
    this.set("$(warning) DeepLocalize", why);
    this.item.command = "deeplocalize.showLog";
  }

  private set(text: string, tooltip: string): void {
    this.item.text = text;
    this.item.tooltip = tooltip;
  }

  dispose(): void {
    this.item.dispose();
  }
}

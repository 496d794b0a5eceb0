/** What every command shares: how it prints, how it refuses, and how it shows progress. */

import type { Problem } from "../schema/document.ts";
import { formatProblems } from "../schema/document.ts";

/** Where a command writes; only main.ts makes a real one. */
export interface Terminal {
  /** Results, on standard output. */
  out(text: string): void;
  /** Everything else, on standard error. */
  err(text: string): void;
  /** Whether a person watches, on a terminal that can be redrawn. */
  readonly isInteractive: boolean;
  /** What it can show at this moment. */
  readonly screen: () => { readonly columns: number; readonly rows: number; readonly hasColours: boolean };
}

/** A command's refusal: what it says goes to standard error. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** 1, or 2 for what no other try can change: systemd then leaves it at that. */
  readonly exitStatus: 1 | 2;

  constructor(message: string, exitStatus: 1 | 2 = 1) {
    super(message);
    this.exitStatus = exitStatus;
  }
}

/** Refuses with every problem on a line of its own. */
export function refuse(problems: readonly Problem[]): never {
  throw new Refusal(formatProblems(problems));
}

export interface Progress {
  at(done: number): void;
  end(): void;
}

/** A bar that redraws itself on a terminal; elsewhere one line a tenth. */
export function showProgress(terminal: Terminal, what: string, total: number, nowMs: () => number): Progress {
  const startMs = nowMs();
  let drawnAtMs = 0;
  let tenth = -1;
  const draw = (done: number): void => {
    const share = total === 0 ? 1 : done / total;
    if (terminal.isInteractive) {
      const now = nowMs();
      if (now - drawnAtMs < 100 && done < total) return;
      drawnAtMs = now;
      const width = 30;
      const filled = Math.round(share * width);
      const leftSeconds = done === 0 ? Number.NaN : ((now - startMs) / 1000) * (total / done - 1);
      const left = Number.isFinite(leftSeconds) ? ` ${Math.ceil(leftSeconds)} s left` : "";
      terminal.err(
        `\r${what} ${"█".repeat(filled)}${"░".repeat(width - filled)} ${done}/${total}${left}\x1b[K`,
      );
    } else if (Math.floor(share * 10) > tenth) {
      tenth = Math.floor(share * 10);
      terminal.err(`${what} ${done}/${total}\n`);
    }
  };
  draw(0);
  return {
    at: draw,
    end(): void {
      draw(total);
      if (terminal.isInteractive) terminal.err("\n");
    },
  };
}

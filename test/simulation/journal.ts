/** What happened in a run, and what must not have: violations are collected, and shown with the last events. */

export interface Journal {
  readonly violations: readonly string[];
  /** How often each kind of event came about, so that a suite can tell that its faults took place. */
  readonly counts: ReadonlyMap<string, number>;
  note(kind: string, detail?: string | number): void;
  violate(what: string): void;
  tail(): string;
}

const TAIL_LINES = 60;

export function aJournal(): Journal {
  const lines: string[] = [];
  const violations: string[] = [];
  const counts = new Map<string, number>();
  return {
    violations,
    counts,
    note(kind, detail = "") {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      lines.push(`${kind} ${detail}`);
      if (lines.length > TAIL_LINES) lines.shift();
    },
    violate(what) {
      violations.push(what);
      lines.push(`!!! ${what}`);
    },
    tail: () => lines.join("\n"),
  };
}

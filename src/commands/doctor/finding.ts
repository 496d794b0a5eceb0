/** What the doctor finds: one line of its table each, with what to do where something is to be done. */

export interface Finding {
  readonly check: string;
  readonly level: "ok" | "warn" | "fail";
  readonly found: string;
  readonly advice?: string;
}

export function ok(check: string, found: string): Finding {
  return { check, level: "ok", found };
}

export function warn(check: string, found: string, advice: string): Finding {
  return { check, level: "warn", found, advice };
}

export function fail(check: string, found: string, advice: string): Finding {
  return { check, level: "fail", found, advice };
}

/** Runs checks that may hang or throw: what comes of them by the deadline is what is found. */
export type Within = (
  check: string,
  deadlineMs: number,
  run: () => Promise<readonly Finding[]>,
) => Promise<readonly Finding[]>;

/** @param totalMs for all of them together: what is not looked at by then is said to be so */
export function withinAll(totalMs: number, monotonicMs: () => number): Within {
  const untilMs = monotonicMs() + totalMs;
  return async (check, deadlineMs, run) => {
    const leftMs = untilMs - monotonicMs();
    if (leftMs > 0) return within(check, Math.min(deadlineMs, leftMs), run);
    const found = `not looked at: the ${totalMs / 1000} s for all checks are over`;
    return [fail(check, found, "put right what took so long, and run again")];
  };
}

async function within(
  check: string,
  deadlineMs: number,
  run: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(() => {
      resolve([
        fail(
          check,
          `no answer within ${(deadlineMs / 1000).toFixed(0)} s`,
          "see what it waits for, and run again",
        ),
      ]);
    }, deadlineMs);
  });
  try {
    return await Promise.race([run(), late]);
  } catch (error) {
    return [fail(check, (error as Error).message, "put this right, and run again")];
  } finally {
    clearTimeout(timer);
  }
}

const MARKS = { ok: "ok  ", warn: "warn", fail: "FAIL" } as const;

/** One line a finding, its advice on the next. */
export function tableOf(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, level, found, advice }) => {
      const line = `${MARKS[level]}  ${check.padEnd(width)}  ${found}\n`;
      return advice === undefined ? line : `${line}${" ".repeat(width + 8)}-> ${advice}\n`;
    })
    .join("");
}

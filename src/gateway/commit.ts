/** Commits batches, and while the ledger cannot be written, waits with their frames unacknowledged. */

import type { Clock, Log } from "./ports.ts";

export interface CommitOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly isStopping: () => boolean;
}

const COMMIT_RETRY_MS = 1000;

export function createCommit({ clock, log, isStopping }: CommitOptions) {
  let trouble: string | undefined;

  return {
    /** Why nothing can be committed at present, or undefined. */
    trouble: (): string | undefined => trouble,

    /** Tries until it succeeds, from the beginning each time; undefined if the gateway stops while it does not. */
    async commit<T>(append: () => T): Promise<T | undefined> {
      while (!isStopping() || trouble === undefined) {
        try {
          const committed = append();
          trouble = undefined;
          return committed;
        } catch (error) {
          trouble = `the ledger cannot be written: ${(error as Error).message}`;
          log.error(
            { error: (error as Error).message },
            "the ledger cannot be written; frames wait unacknowledged",
          );
          await new Promise<void>((resolve) => clock.after(COMMIT_RETRY_MS, resolve));
        }
      }
      return undefined;
    },
  };
}

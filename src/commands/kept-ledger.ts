/** The daemon's ledger: opened, told of in the log, and kept up in small steps while the daemon runs. */

import type { Config } from "../config/schema.ts";
import type { Clock, Log } from "../gateway/ports.ts";
import { type Ledger, openLedger } from "../ledger/ledger.ts";

const DAY_MS = 86_400_000;
const UPKEEP_MS = 1000;
/** Between two steps of a deletion; batches come in between. */
const NEXT_STEP_MS = 10;

export function keepLedger(config: Config["ledger"], clock: Clock, log: Log): Ledger {
  const ledger = openLedger({
    path: config.path,
    dedupeWindowMs: config.dedupeWindowSeconds * 1000,
    retentionMs: config.retentionDays * DAY_MS,
    bytesMax: config.bytesMax,
    frameBytesKeptMax: config.frameBytesKeptMax,
    ballastBytes: config.ballastBytes,
    nowMs: clock.nowMs,
  });
  if (ledger.setAsideNow !== undefined) {
    const { file, reason } = ledger.setAsideNow;
    log.error(
      { ledger: config.path, setAside: file, reason },
      "THE LEDGER IS DAMAGED and was set aside; a new one is begun. Frames decided before may be decided once more, and what had not been published is not. Keep the file, check the disk",
    );
  }

  let cancel: (() => void) | undefined;
  let isFailing = false;
  const upkeep = (): void => {
    let hasMore = false;
    try {
      hasMore = ledger.maintain();
      isFailing = false;
    } catch (error) {
      if (!isFailing)
        log.error({ error: (error as Error).message }, "the ledger's upkeep fails; tried again");
      isFailing = true;
    }
    cancel = clock.after(hasMore ? NEXT_STEP_MS : UPKEEP_MS, upkeep);
  };
  cancel = clock.after(UPKEEP_MS, upkeep);
  return {
    ...ledger,
    close(): void {
      cancel?.();
      ledger.close();
    },
  };
}

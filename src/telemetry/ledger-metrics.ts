/** The ledger's metrics, asked for at each scrape. */

import { Counter, Gauge, type Registry } from "prom-client";

export interface LedgerGauges {
  usage(): {
    readonly bytes: number;
    readonly frameBytesKept: number;
    readonly framesDropped: number;
    readonly ballastGivenUp: number;
    readonly hasBallast: boolean;
  };
  /** Damaged files set aside before this ledger was begun. */
  setAside(): readonly object[];
}

export function registerLedger(registry: Registry, ledger: LedgerGauges): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({ name, help, registers: [registry], collect: collectInto(value) });
  };
  const counter = (name: string, help: string, value: () => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  };
  gauge("sekisho_ledger_bytes", "Bytes that the ledger uses in its file.", () => ledger.usage().bytes);
  gauge(
    "sekisho_ledger_frames_kept_bytes",
    "Bytes of frames kept for their reviews.",
    () => ledger.usage().frameBytesKept,
  );
  gauge("sekisho_ledger_ballast", "1 while the ballast is there, 0 on a full disk.", () =>
    ledger.usage().hasBallast ? 1 : 0,
  );
  counter(
    "sekisho_ledger_frames_dropped_total",
    "Frames of reviews that made room for newer ones, or were too large to be kept.",
    () => ledger.usage().framesDropped,
  );
  counter(
    "sekisho_ledger_ballast_given_up_total",
    "Times that the disk was full and the ballast was given up.",
    () => ledger.usage().ballastGivenUp,
  );
  counter(
    "sekisho_ledger_set_aside_total",
    "Damaged ledgers set aside, ever, as far as this one knows.",
    () => ledger.setAside().length,
  );
}

function collectInto(value: () => number) {
  return function collect(this: Gauge): void {
    this.set(value());
  };
}

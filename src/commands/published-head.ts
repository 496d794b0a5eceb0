/** The end of the ledger's chain as it is published: often enough that little can be cut off unseen. */

import type { Clock } from "../gateway/ports.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { headText } from "../ledger/published-head.ts";

/** Between two heads where no act is written. */
const HEAD_EVERY_MS = 60_000;

export interface PublishedHead {
  /** The head to publish: another after each act, and else once a minute. */
  current(): string;
  /** The end as it is now: the last word of a gateway that stops. */
  renew(): void;
}

export function publishHead(ledger: Pick<Ledger, "chainHead" | "lastAct">, clock: Clock): PublishedHead {
  let text = "";
  let lastAct = -1;
  let takenAtMs = Number.NEGATIVE_INFINITY;
  const renew = (): void => {
    text = headText(ledger.chainHead());
    lastAct = ledger.lastAct();
    takenAtMs = clock.monotonicMs();
  };
  return {
    current(): string {
      const isDue = ledger.lastAct() !== lastAct || clock.monotonicMs() - takenAtMs >= HEAD_EVERY_MS;
      if (isDue) renew();
      return text;
    },
    renew,
  };
}

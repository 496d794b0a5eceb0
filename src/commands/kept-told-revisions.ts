/** How operators are told of thresholds that nothing proves: a message beside the reviews. */

import type { Language } from "../core/review.ts";
import { revisionText } from "../core/revision-words.ts";
import type { ActRow, Clock, Log, Message, Publisher } from "../gateway/ports.ts";
import { tellRevisions } from "../gateway/told-revisions.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { bodyOf } from "./revisions.ts";

export interface KeptToldRevisionsOptions {
  readonly stations: readonly string[];
  readonly ledger: Pick<Ledger, "acts" | "epoch">;
  readonly publisher: Pick<Publisher, "onConnect" | "publish">;
  readonly topicOf: (station: string) => string;
  readonly language: Language;
  readonly clock: Clock;
  readonly log: Log;
}

export function keepToldRevisions(options: KeptToldRevisionsOptions): ReturnType<typeof tellRevisions> {
  const { stations, ledger, publisher, topicOf, language, clock, log } = options;
  const epoch = ledger.epoch().toString(36);
  return tellRevisions({
    ...{ stations, acts: ledger.acts, publisher, clock, log },
    message: (act) => revisionMessage(topicOf(act.station), epoch, act, language),
  });
}

/** The same bytes at each resend: consumers drop what they had by its id. */
export function revisionMessage(topic: string, epoch: string, act: ActRow, language: Language): Message {
  const { certified, persons, document } = bodyOf(act);
  const { station, seq, atMs } = act;
  const { revision, why } = document;
  const body = {
    ...{ type: "thresholds", thresholds: `${station}-thresholds-${epoch}-${seq}`, station, revision },
    ...{ certified, persons, why, text: revisionText(station, { revision, certified }, language) },
    at: new Date(atMs).toISOString(),
  };
  return { topic, payload: JSON.stringify(body), qos: 1 };
}

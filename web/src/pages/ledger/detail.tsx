/** One decision with all that was recorded of it: in words first, then in figures. */

import type { DecisionView } from "../../../../src/http/api-schemas.ts";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Facts, ForEngineers } from "../../ui/details.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { State } from "../../ui/state.tsx";
import { decisionName, moment, reasonName, reasonSentence, share } from "../../ui/words.ts";
import { TONES, wouldName } from "./rows.tsx";

export interface DetailProps {
  readonly decision: DecisionView;
  readonly onOlder: (() => void) | undefined;
  readonly onNewer: (() => void) | undefined;
  readonly onClose: () => void;
}

export function Detail({ decision: one, onOlder, onNewer, onClose }: DetailProps) {
  return (
    <Dialog title={t("ledger.detail.title", { id: String(one.id) })} onClose={onClose} class="ledger-detail">
      <p class="ledger-verdict">
        <State tone={TONES[one.decision] ?? "neutral"}>{decisionName(one.decision)}</State>
        <strong>{reasonName(one.reason)}</strong>
      </p>
      <p>{reasonSentence(one.reason)}</p>
      <p>{studentSentence(one)}</p>
      {one.band !== null && (
        <p>{t("ledger.detail.band", { low: share(one.band[0]!), high: share(one.band[1]!) })}</p>
      )}
      {one.would !== undefined && <p>{t("ledger.detail.would", { would: wouldName(one.would) })}</p>}
      <Facts
        facts={[
          [t("ledger.detail.at"), moment(one.at)],
          [t("ledger.detail.station"), one.station],
          [t("ledger.detail.source"), one.source],
          [t("ledger.detail.part"), one.part],
          [t("ledger.detail.frame"), one.frame],
          [t("ledger.detail.frames"), one.frames],
        ]}
      />
      <ForEngineers>
        <Facts
          facts={[
            [
              t("ledger.detail.reasonCode"),
              one.would === undefined ? one.reason : `${one.reason} / ${one.would}`,
            ],
            [t("ledger.detail.score"), one.score],
            [t("ledger.detail.lambda"), one.lambda],
            [t("ledger.detail.confidence"), one.confidence],
            [t("ledger.detail.teacherBand"), one.band?.join(" – ")],
            [t("ledger.detail.classIndex"), one.classIndex],
            [t("ledger.detail.mode"), one.mode],
            [t("ledger.detail.revision"), one.revision],
          ]}
        />
        <h3>{t("ledger.detail.json")}</h3>
        <pre class="record">{JSON.stringify(one, null, 2)}</pre>
      </ForEngineers>
      <footer class="dialog-foot">
        <Button icon="up" disabled={onNewer === undefined} {...(onNewer && { onClick: onNewer })}>
          {t("ledger.detail.newer")}
        </Button>
        <Button icon="down" disabled={onOlder === undefined} {...(onOlder && { onClick: onOlder })}>
          {t("ledger.detail.older")}
        </Button>
      </footer>
    </Dialog>
  );
}

function studentSentence(one: DecisionView): string {
  return one.class === null || one.confidence === null
    ? t("ledger.detail.noClass")
    : t("ledger.detail.class", { class: one.class, share: share(one.confidence) });
}

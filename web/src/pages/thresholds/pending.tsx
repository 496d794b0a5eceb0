/** What waits for its second person: what it would change, and the approval. */

import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { State } from "../../ui/state.tsx";
import { moment } from "../../ui/words.ts";
import { approveCommand } from "./commands.ts";
import { AnswerNote, meansOf, useSubmission } from "./desk.tsx";
import { differences } from "./differences.ts";
import { baseOf, pendingOf } from "./model.ts";
import { SignHere } from "./signing.tsx";

export interface PendingProps {
  readonly station: string;
  readonly standing: ThresholdsStanding;
  readonly onTaken: () => void;
}

export function Pending({ station, standing, onTaken }: PendingProps) {
  const submission = useSubmission(station, onTaken);
  const pending = pendingOf(standing);
  const means = meansOf(standing);
  if (pending === undefined) return <AnswerNote submission={submission} />;
  const base = baseOf(standing);
  const { proposedBy: by, revision, why, at } = pending;
  const isOwn = means.kind === "browser" && means.name === by;
  return (
    <Card
      title={t("thresholds.pending")}
      class="pending"
      aside={
        <State tone="warn" icon="clock">
          {moment(at)}
        </State>
      }
    >
      <p>{t("thresholds.pending.text", { by, revision, why })}</p>
      {base !== undefined && (
        <ul class="reasons">
          {differences(base, pending).map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      {means.kind === "browser" && !isOwn && (
        <Button
          kind="primary"
          icon="check"
          isBusy={submission.isBusy}
          onClick={() => void submission.submit({ ...pending, approvedBy: means.name })}
        >
          {t("thresholds.pending.approve")}
        </Button>
      )}
      {isOwn && <p class="hint">{t("thresholds.pending.own")}</p>}
      {means.kind === "none" && <p class="hint">{t("thresholds.pending.engineer", { by })}</p>}
      {means.kind === "keys" && (
        <SignHere
          persons={means.persons}
          commands={[{ title: t("thresholds.keys.approve"), command: approveCommand(station) }]}
        />
      )}
      <AnswerNote submission={submission} />
    </Card>
  );
}

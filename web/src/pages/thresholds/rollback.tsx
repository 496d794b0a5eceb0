/** Going back to an earlier revision: what that changes, then the guard as for any other change. */

import { useState } from "preact/hooks";
import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import type { Thresholds } from "../../../../src/thresholds/file.ts";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { REASON_PLACE, rollbackCommand } from "./commands.ts";
import { AnswerNote, meansOf, useSubmission } from "./desk.tsx";
import { differences } from "./differences.ts";
import { baseOf, nextDocument } from "./model.ts";
import { SignHere } from "./signing.tsx";

export interface RollbackProps {
  readonly station: string;
  readonly standing: ThresholdsStanding;
  readonly to: Thresholds;
  readonly onTaken: () => void;
  readonly onClose: () => void;
}

export function Rollback({ station, standing, to, onTaken, onClose }: RollbackProps) {
  const [why, setWhy] = useState("");
  const [isChecked, setChecked] = useState(false);
  const submission = useSubmission(station, onTaken);
  const means = meansOf(standing);
  const base = baseOf(standing);
  const { revision } = to;
  const isMissing = why.trim() === "";

  async function goBack(name: string): Promise<void> {
    setChecked(true);
    if (isMissing) return;
    const said = { by: name, why: why.trim(), at: new Date() };
    const isProven = to.certified !== false;
    await submission.submit(
      nextDocument(to, { rollbackOf: revision }, said, standing.nextRevision, isProven),
    );
  }

  return (
    <Dialog title={t("thresholds.rollback.title", { revision })} onClose={onClose}>
      <p>{t("thresholds.rollback.text", { next: standing.nextRevision })}</p>
      {base !== undefined && (
        <ul class="reasons">
          {differences(base, to).map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      <Field
        label={t("thresholds.propose.why")}
        value={why}
        onInput={setWhy}
        problem={isChecked && isMissing ? t("thresholds.propose.whyMissing") : undefined}
      />
      {means.kind === "keys" && (
        <SignHere
          persons={means.persons}
          commands={[
            {
              title: t("thresholds.keys.rollback", { revision }),
              command: rollbackCommand(station, revision, why.trim() || REASON_PLACE),
            },
          ]}
        />
      )}
      <AnswerNote submission={submission} />
      <footer class="dialog-foot">
        <Button onClick={onClose}>{t("close")}</Button>
        {means.kind === "browser" && submission.answer === undefined && (
          <Button
            kind="primary"
            icon="undo"
            isBusy={submission.isBusy}
            onClick={() => void goBack(means.name)}
          >
            {t("thresholds.rollback.confirm")}
          </Button>
        )}
      </footer>
    </Dialog>
  );
}

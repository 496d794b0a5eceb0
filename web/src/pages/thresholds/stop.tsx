/** The emergency stop: big, one confirmation away, for one person. */

import { useState } from "preact/hooks";
import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { State } from "../../ui/state.tsx";
import { stopCommand } from "./commands.ts";
import { AnswerNote, meansOf, type Submission } from "./desk.tsx";
import { baseOf, nextDocument } from "./model.ts";
import { SignHere } from "./signing.tsx";

export interface StopProps {
  readonly station: string;
  readonly standing: ThresholdsStanding;
  readonly submission: Submission;
}

export function Stop({ station, standing, submission }: StopProps) {
  const [isAsked, setAsked] = useState(false);
  const [why, setWhy] = useState("");
  const base = baseOf(standing);
  const means = meansOf(standing);
  if (base === undefined || means.kind === "none") return null;
  if (base.lambda === null) {
    return (
      <State tone="bad" icon="hand">
        {t("thresholds.stop.already")}
      </State>
    );
  }
  const reason = why.trim() || t("thresholds.stop.whyDefault");

  async function stop(name: string): Promise<void> {
    const said = { by: name, why: reason, at: new Date() };
    const next = nextDocument(base!, { lambda: null, classLambdas: {} }, said, standing.nextRevision, true);
    if (await submission.submit(next)) setAsked(false);
  }

  return (
    <>
      <Button kind="danger" icon="hand" class="stop" onClick={() => setAsked(true)}>
        {t("thresholds.stop")}
      </Button>
      {isAsked && (
        <Dialog
          title={t("thresholds.stop.title", { station })}
          onClose={() => setAsked(false)}
          class="stop-dialog"
        >
          <p>{t("thresholds.stop.text")}</p>
          <p>{t("thresholds.stop.back")}</p>
          <Field
            label={t("thresholds.stop.why")}
            value={why}
            onInput={setWhy}
            hint={t("thresholds.stop.why.hint")}
          />
          {means.kind === "keys" ? (
            <SignHere
              persons={means.persons}
              commands={[{ title: t("thresholds.keys.stop"), command: stopCommand(station, reason) }]}
            />
          ) : (
            <>
              <AnswerNote submission={submission} />
              <footer class="dialog-foot">
                <Button onClick={() => setAsked(false)}>{t("cancel")}</Button>
                <Button
                  kind="danger"
                  icon="hand"
                  isBusy={submission.isBusy}
                  onClick={() => void stop(means.name)}
                >
                  {t("thresholds.stop.confirm")}
                </Button>
              </footer>
            </>
          )}
        </Dialog>
      )}
    </>
  );
}

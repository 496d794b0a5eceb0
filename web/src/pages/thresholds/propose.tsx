/** From a chosen point to a revision: by the browser where names count, by a signed command where keys are trusted. */

import { useState } from "preact/hooks";
import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import type { Thresholds } from "../../../../src/thresholds/file.ts";
import type { CertificateRule } from "../../contract.ts";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Field } from "../../ui/field.tsx";
import { Segments } from "../../ui/segments.tsx";
import { proposeCommand, REASON_PLACE } from "./commands.ts";
import { AnswerNote, meansOf, type Submission } from "./desk.tsx";
import { baseOf, nextDocument, type Outlook, passingOf, type Wish } from "./model.ts";
import { SignHere } from "./signing.tsx";

export interface ProposeProps {
  readonly station: string;
  readonly standing: ThresholdsStanding;
  readonly rule: CertificateRule;
  readonly outlook: Outlook;
  readonly submission: Submission;
}

export function Propose({ station, standing, rule, outlook, submission }: ProposeProps) {
  const base = baseOf(standing);
  const means = meansOf(standing);
  const form = useForm(base);
  if (base === undefined || means.kind === "none") {
    return (
      <Card title={t("thresholds.propose")}>
        <p>{t("thresholds.propose.viewer")}</p>
        <AnswerNote submission={submission} />
      </Card>
    );
  }
  const wish = wishOf(base, rule, outlook, form.mode, form.auditRate);
  const isNothing = Object.keys(wish).length === 0;
  const isOnlyTighter =
    !("mode" in wish && wish.mode === "guarded") && !(wish.auditRate! < (base.auditRate ?? 0));

  async function submit(event: SubmitEvent, name: string): Promise<void> {
    event.preventDefault();
    if (!form.check()) return;
    const said = { by: name, why: form.why.trim(), at: new Date() };
    const next = nextDocument(base!, wish, said, standing.nextRevision, rule.allowed);
    if (await submission.submit(next)) form.clear();
  }

  return (
    <Card title={t("thresholds.propose")} class="propose">
      {isNothing && <p class="hint">{t("thresholds.propose.nothing")}</p>}
      <form onSubmit={(event) => means.kind === "browser" && void submit(event, means.name)}>
        <Field
          label={t("thresholds.propose.why")}
          value={form.why}
          onInput={form.setWhy}
          problem={form.whyProblem}
          {...(means.kind === "browser" && { hint: t("thresholds.propose.why.hint", { name: means.name }) })}
        />
        <details class="propose-more">
          <summary>{t("thresholds.propose.more")}</summary>
          <p id="propose-mode">{t("thresholds.propose.mode")}</p>
          <Segments
            label={t("thresholds.propose.mode")}
            value={form.mode}
            choices={[
              ["guarded", t("thresholds.propose.mode.guarded")],
              ["shadow", t("thresholds.propose.mode.shadow")],
            ]}
            onChange={form.setMode}
          />
          <Field
            label={t("thresholds.propose.audit")}
            value={form.auditText}
            onInput={form.setAuditText}
            hint={t("thresholds.propose.audit.hint")}
            problem={form.auditProblem}
          />
        </details>
        {means.kind === "browser" && (
          <>
            <Button type="submit" kind="primary" class="wide" isBusy={submission.isBusy} disabled={isNothing}>
              {t(submitKey(outlook, isOnlyTighter))}
            </Button>
            <p class="hint">{t("thresholds.names.about")}</p>
          </>
        )}
      </form>
      {means.kind === "keys" && (
        <SignHere
          persons={means.persons}
          commands={
            isNothing
              ? []
              : [
                  {
                    title: t("thresholds.keys.propose"),
                    command: proposeCommand(station, base, { ...wish, why: form.why.trim() || REASON_PLACE }),
                  },
                ]
          }
        />
      )}
      <AnswerNote submission={submission} />
    </Card>
  );
}

function submitKey(outlook: Outlook, isOnlyTighter: boolean) {
  if (outlook === "refused" || outlook === "monitor") return "thresholds.propose.submit.refused";
  if (outlook === "looser" || !isOnlyTighter) return "thresholds.propose.submit.looser";
  return "thresholds.propose.submit.tighter";
}

/** Only what differs from what is in force. */
function wishOf(
  base: Thresholds,
  rule: CertificateRule,
  outlook: Outlook,
  mode: Thresholds["mode"],
  auditRate: number | undefined,
): Wish {
  return {
    ...(outlook !== "same" && passingOf(rule)),
    ...(mode !== base.mode && { mode }),
    ...(auditRate !== undefined && auditRate !== (base.auditRate ?? 0) && { auditRate }),
  };
}

function useForm(base: Thresholds | undefined) {
  const [why, setWhy] = useState("");
  const [mode, setMode] = useState<Thresholds["mode"]>(base?.mode ?? "guarded");
  const [auditText, setAuditText] = useState(String(base?.auditRate ?? 0));
  const [isChecked, setChecked] = useState(false);
  const auditRate = auditText.trim() === "" ? Number.NaN : Number(auditText);
  const isAuditRight = auditRate >= 0 && auditRate <= 1;
  const isWhyRight = why.trim() !== "";
  return {
    ...{ why, setWhy, mode, setMode, auditText, setAuditText },
    auditRate: isAuditRight ? auditRate : undefined,
    auditProblem: isAuditRight ? undefined : t("thresholds.propose.audit.wrong"),
    whyProblem: isChecked && !isWhyRight ? t("thresholds.propose.whyMissing") : undefined,
    check(): boolean {
      setChecked(true);
      return isWhyRight && isAuditRight;
    },
    clear(): void {
      setWhy("");
      setChecked(false);
    },
  };
}

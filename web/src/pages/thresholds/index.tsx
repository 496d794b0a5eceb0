/** The Thresholds page: what is in force, what else the evidence supports, and the way there through the guard. */

import { useEffect, useState } from "preact/hooks";
import type { StationView } from "../../../../src/http/api-schemas.ts";
import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import { get } from "../../api.ts";
import type { CertificateView } from "../../contract.ts";
import { t } from "../../i18n/index.ts";
import { Card } from "../../ui/card.tsx";
import { useLoad } from "../../ui/load.ts";
import { Empty, Failed, Loading, Note, State } from "../../ui/state.tsx";
import { chosenStation, StationChoice } from "../../ui/station-choice.tsx";
import { boundShare, doubt, share } from "../../ui/words.ts";
import "../../style/parts.css";
import "../../style/thresholds.css";
import { Choice, ClassTable, verdictWords } from "./choice.tsx";
import { Curve } from "./curve.tsx";
import { AnswerNote, type Submission, useSubmission } from "./desk.tsx";
import { Log } from "./log.tsx";
import { baseOf, indexInForce, outlookOf } from "./model.ts";
import { Pending } from "./pending.tsx";
import { Propose } from "./propose.tsx";
import { Replay } from "./replay.tsx";
import { Slider } from "./slider.tsx";
import { Stop } from "./stop.tsx";

/** What waits for a second person is told by no event. */
const LOOK_EVERY_MS = 10_000;

export function ThresholdsPage() {
  const station = chosenStation();
  if (station === undefined) {
    return (
      <section class="page">
        <h1>{t("thresholds.title")}</h1>
        <Empty icon="thresholds" title={t("thresholds.noStation")} />
      </section>
    );
  }
  return <StationThresholds key={station.station} station={station} />;
}

function StationThresholds({ station }: { readonly station: StationView }) {
  const name = station.station;
  const path = `/stations/${encodeURIComponent(name)}`;
  const standing = useLoad(
    name,
    (signal) => get<ThresholdsStanding>(`${path}/thresholds`, { signal }),
    LOOK_EVERY_MS,
  );
  const certificate = useLoad(name, (signal) => get<CertificateView>(`${path}/certificate`, { signal }));
  const askAgain = (): void => {
    standing.again();
    certificate.again();
  };
  // Another revision, by whomever, is told by an event.
  useEffect(askAgain, [station.revision]);
  const stopping = useSubmission(name, askAgain);
  const problem = standing.problem ?? certificate.problem;
  return (
    <section class="page thresholds">
      <header class="page-head">
        <div>
          <h1>{t("thresholds.title")}</h1>
          <p class="lead">{t("thresholds.lead")}</p>
        </div>
        <StationChoice page="thresholds" chosen={name} />
        {standing.value !== undefined && (
          <Stop station={name} standing={standing.value} submission={stopping} />
        )}
      </header>
      <AnswerNote submission={stopping} />
      {station.refused !== undefined && (
        <Note tone="warn">{t("thresholds.refused", { reason: station.refused.reason })}</Note>
      )}
      {standing.value !== undefined && certificate.value !== undefined ? (
        <Workshop
          station={station}
          standing={standing.value}
          certificate={certificate.value}
          onTaken={askAgain}
        />
      ) : problem !== undefined ? (
        <Failed message={problem} onRetry={askAgain} />
      ) : (
        <Loading />
      )}
    </section>
  );
}

interface WorkshopProps {
  readonly station: StationView;
  readonly standing: ThresholdsStanding;
  readonly certificate: CertificateView;
  readonly onTaken: () => void;
}

function Workshop({ station, standing, certificate, onTaken }: WorkshopProps) {
  const name = station.station;
  const submission: Submission = useSubmission(name, onTaken);
  const { rules } = certificate;
  const inForce = indexInForce(certificate);
  const [moved, setMoved] = useState<number>();
  const chosen = Math.min(rules.length - 1, moved ?? Math.max(0, inForce));
  // What was chosen before another revision came was chosen against the one before.
  useEffect(() => setMoved(undefined), [certificate.revision]);
  const rule = rules[chosen];
  const outlook = rule && outlookOf(rule, certificate, station.monitor);

  function move(index: number): void {
    setMoved(Math.max(0, Math.min(rules.length - 1, index)));
    submission.forget();
  }

  return (
    <>
      <InForce station={station} standing={standing} certificate={certificate} />
      <Pending station={name} standing={standing} onTaken={onTaken} />
      {rules.length === 0 && <Note tone="warn">{t("thresholds.noRules")}</Note>}
      {rule !== undefined && outlook !== undefined && (
        <div class="workshop">
          <div class="workshop-main">
            <Card title={t("thresholds.curve")}>
              <Curve certificate={certificate} chosen={chosen} inForce={inForce} onChoose={move} />
              <Slider
                count={rules.length}
                index={chosen}
                text={t("thresholds.slider.text", {
                  ...{ at: chosen + 1, of: rules.length, pass: share(rule.expectedPassRate) },
                  ...{
                    risk: boundShare(rule.station.upperBound),
                    verdict: verdictWords(outlook, station.monitor),
                  },
                })}
                onMove={move}
              />
              <p class="hint">{t("thresholds.curve.about")}</p>
              <p class="hint">{t("thresholds.risk.about")}</p>
            </Card>
            <ClassTable certificate={certificate} rule={rule} />
          </div>
          <div class="workshop-side">
            <Choice
              certificate={certificate}
              standing={standing}
              rule={rule}
              inForce={rules[inForce]}
              outlook={outlook}
              monitor={station.monitor}
              onBack={() => move(Math.max(0, inForce))}
            />
            <Propose
              key={standing.nextRevision}
              station={name}
              standing={standing}
              rule={rule}
              outlook={outlook}
              submission={submission}
            />
            <Replay station={name} rule={rule} />
          </div>
        </div>
      )}
      <Log station={name} standing={standing} onTaken={onTaken} />
    </>
  );
}

function InForce({ station, standing, certificate }: Omit<WorkshopProps, "onTaken">) {
  const base = baseOf(standing);
  const { upperBound } = certificate;
  return (
    <Card
      title={t("thresholds.now")}
      class="in-force"
      aside={
        <State tone={station.mode === "guarded" ? "good" : "neutral"}>
          {t(`thresholds.mode.${station.mode}`)}
        </State>
      }
    >
      {standing.revision === 0 || base === undefined ? (
        <p>{t("thresholds.now.none")}</p>
      ) : base.lambda === null ? (
        <p>{t("thresholds.now.stopped")}</p>
      ) : (
        <p>
          {t("thresholds.now.passes", {
            ...{ passing: base.classes.length, all: station.classes.length, lambda: doubt(base.lambda) },
          })}{" "}
          {station.certified === false
            ? t("thresholds.now.uncertified")
            : upperBound !== null && t("thresholds.now.bound", { bound: boundShare(upperBound) })}
        </p>
      )}
      {base !== undefined && (
        <p class="hint">
          {t("thresholds.log.kind.revision", { revision: base.revision })} ·{" "}
          {t("thresholds.log.by", { persons: personsOf(base) })}: {base.why}
        </p>
      )}
    </Card>
  );
}

function personsOf({
  proposedBy,
  approvedBy,
}: {
  readonly proposedBy: string;
  readonly approvedBy: string;
}): string {
  return proposedBy === approvedBy ? proposedBy : `${proposedBy}, ${approvedBy}`;
}

/** What the chosen point would have done to the frames of the last day, from the ledger. */

import { useEffect, useState } from "preact/hooks";
import { ApiError, post } from "../../api.ts";
import type { CertificateRule, ReplayView } from "../../contract.ts";
import { t } from "../../i18n/index.ts";
import { mayAct } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { ForEngineers } from "../../ui/details.tsx";
import { errorInWords } from "../../ui/errors.ts";
import { Note } from "../../ui/state.tsx";
import { grouped, moment, reasonName, share } from "../../ui/words.ts";
import { passingOf } from "./model.ts";

const HOURS = 24;

export function Replay({ station, rule }: { readonly station: string; readonly rule: CertificateRule }) {
  const { state, run } = useReplay(station, rule);
  if (!mayAct("engineer")) return null;
  return (
    <Card title={t("thresholds.replay")} class="replay">
      <p>{t("thresholds.replay.about", { hours: HOURS })}</p>
      <Button icon="search" isBusy={state.kind === "running"} onClick={run}>
        {t(state.kind === "running" ? "thresholds.replay.running" : "thresholds.replay.run")}
      </Button>
      {state.kind === "failed" && <Note tone="bad">{state.words}</Note>}
      {state.kind === "there" && <Outcome view={state.view} />}
    </Card>
  );
}

type ReplayState =
  | { readonly kind: "idle" }
  | { readonly kind: "running" }
  | { readonly kind: "failed"; readonly words: string }
  | { readonly kind: "there"; readonly view: ReplayView };

/** What was found holds for the point it was asked of, and is forgotten with it. */
function useReplay(station: string, rule: CertificateRule) {
  const [state, setState] = useState<ReplayState>({ kind: "idle" });
  const [leaving, setLeaving] = useState<AbortController>();
  // Another point is another question.
  useEffect(() => {
    setState({ kind: "idle" });
    return () => leaving?.abort();
  }, [station, rule.lambda]);

  function run(): void {
    const asked = new AbortController();
    setLeaving(asked);
    setState({ kind: "running" });
    const path = `/stations/${encodeURIComponent(station)}/replay`;
    post<ReplayView>(path, { ...passingOf(rule), hours: HOURS }, { signal: asked.signal }).then(
      (view) => !asked.signal.aborted && setState({ kind: "there", view }),
      (error: unknown) => {
        if (asked.signal.aborted) return;
        const isBusy = error instanceof ApiError && error.status === 429;
        setState({ kind: "failed", words: isBusy ? t("thresholds.replay.busy") : errorInWords(error) });
      },
    );
  }
  return { state, run };
}

function Outcome({ view }: { readonly view: ReplayView }) {
  const { decided, moved, reviewsPerHour, known, from, to } = view;
  if (decided.decided === 0 || from === null || to === null) return <p>{t("thresholds.replay.empty")}</p>;
  const { budget, now, would } = reviewsPerHour;
  const shares = (count: number): string =>
    `${share(count / decided.decided)} (${t("thresholds.replay.of", { count: grouped(count), all: grouped(decided.decided) })})`;
  return (
    <div class="replay-outcome" role="status">
      <table class="table">
        <thead>
          <tr>
            <td />
            <th scope="col">{t("thresholds.replay.was")}</th>
            <th scope="col">{t("thresholds.replay.would")}</th>
          </tr>
        </thead>
        <tbody>
          <Row name={t("thresholds.replay.person")} now={shares(decided.now)} would={shares(decided.would)} />
          <Row
            name={t("thresholds.replay.hour")}
            now={grouped(Math.round(now.perHour))}
            would={grouped(Math.round(would.perHour))}
          />
          <Row
            name={t("thresholds.replay.largest")}
            now={grouped(now.largestHour)}
            would={grouped(would.largestHour)}
          />
        </tbody>
      </table>
      <ul class="reasons">
        <li>{t("thresholds.replay.toReview", { count: moved.passToReview })}</li>
        <li>{t("thresholds.replay.toPass", { count: moved.reviewToPass })}</li>
        <li>{t("thresholds.replay.budget", { budget })}</li>
        <li>
          {known.wrong.found === 0
            ? t("thresholds.replay.unknown")
            : t("thresholds.replay.known", {
                ...{
                  found: known.wrong.found,
                  passedNow: known.wrong.passedNow,
                  wouldPass: known.wrong.wouldPass,
                },
              })}
        </li>
      </ul>
      <p class="hint">
        {t("thresholds.replay.span", { count: decided.decided, from: moment(from), to: moment(to) })}
      </p>
      <ForEngineers>
        <Breakdown
          head={t("thresholds.replay.class")}
          rows={view.classes.map((one) => [one.class, one.decided, one.now, one.would])}
        />
        <Breakdown
          head={t("thresholds.replay.reason")}
          rows={view.reasons.map((one) => [reasonName(one.reason), undefined, one.now, one.would])}
        />
      </ForEngineers>
    </div>
  );
}

function Row({ name, now, would }: { readonly name: string; readonly now: string; readonly would: string }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{now}</td>
      <td>{would}</td>
    </tr>
  );
}

interface BreakdownProps {
  readonly head: string;
  readonly rows: readonly (readonly [
    name: string,
    decided: number | undefined,
    now: number,
    would: number,
  ])[];
}

function Breakdown({ head, rows }: BreakdownProps) {
  const hasDecided = rows.some(([, decided]) => decided !== undefined);
  return (
    <div class="table-scroll">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{head}</th>
            {hasDecided && (
              <th scope="col" class="number">
                {t("thresholds.replay.decided")}
              </th>
            )}
            <th scope="col" class="number">
              {t("thresholds.replay.was")}
            </th>
            <th scope="col" class="number">
              {t("thresholds.replay.would")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, decided, now, would]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {decided !== undefined && <td class="number">{grouped(decided)}</td>}
              <td class="number">{grouped(now)}</td>
              <td class="number">{grouped(would)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What was proven beforehand beside what spot checks say now, on one scale. */

import type { StationView } from "../../../../src/http/api-schemas.ts";
import type { StationAuditsView } from "../../../../src/http/audit-schemas.ts";
import type { CertificateView } from "../../contract.ts";
import { t } from "../../i18n/index.ts";
import { Card } from "../../ui/card.tsx";
import { Facts, ForEngineers } from "../../ui/details.tsx";
import { Note } from "../../ui/state.tsx";
import { boundShare, grouped, share } from "../../ui/words.ts";

export interface PromiseCardProps {
  readonly station: StationView;
  readonly certificate: CertificateView;
  readonly audits: StationAuditsView | undefined;
}

type Question = StationAuditsView["questions"][number];

/** The scale goes up to this multiple of what is allowed at most; what is beyond is written out. */
const SCALE_MAX = 12;

export function PromiseCard({ station, certificate, audits }: PromiseCardProps) {
  const { alpha, lambda, eta, upperBound } = certificate;
  const asked = (audits?.questions ?? []).filter(({ drawn, waiting }) => drawn + waiting > 0);
  const bound = station.certified === false ? undefined : (upperBound ?? undefined);
  const widest = Math.max(2 * alpha, ...asked.map(({ upperBound }) => 1.1 * upperBound));
  const scale = { alpha, riskMax: Math.min(SCALE_MAX * alpha, widest) };
  return (
    <Card title={t("line.promise")} class="promise-card">
      {lambda === null && <Note tone="warn">{t("line.promise.stopped")}</Note>}
      {station.certified === false && <Note tone="warn">{t("line.promise.uncertified")}</Note>}
      <Bar
        name={t("line.promise.allowed")}
        words={boundShare(alpha)}
        scale={scale}
        bound={alpha}
        kind="allowed"
      />
      {bound !== undefined && (
        <Bar
          name={t("line.promise.certificate")}
          words={t("line.promise.most", { bound: boundShare(bound) })}
          scale={scale}
          bound={bound}
          kind="certificate"
        />
      )}
      {asked.map((one) => (
        <Bar
          key={one.question}
          name={t(`line.promise.${one.question}`)}
          words={foundWords(one)}
          note={countsWords(one)}
          scale={scale}
          bound={one.upperBound}
          estimate={one.estimate?.risk}
          kind="audit"
        />
      ))}
      {asked.length === 0 && <p class="hint">{t("line.promise.none.hint")}</p>}
      <p class="hint">{t("line.promise.about")}</p>
      <ForEngineers>
        <p>{t("line.promise.confidence", { share: share(1 - eta) })}</p>
        {audits?.wrong.known === true && (
          <p>{t("line.promise.wrong", { bound: boundShare(audits.wrong.upperBound) })}</p>
        )}
        <Facts
          facts={[
            [t("line.engineers.alpha"), [alpha, certificate.alphaClass, eta].join(", ")],
            ...asked.flatMap((one) => engineerFacts(one)),
          ]}
        />
      </ForEngineers>
    </Card>
  );
}

function foundWords({ estimate, upperBound }: Question): string {
  if (estimate === null) return t("line.promise.waiting");
  return t("line.promise.found", { risk: share(estimate.risk), bound: boundShare(upperBound) });
}

function countsWords({ drawn, bad, unanswered, waiting }: Question): string {
  return t("line.promise.counts", {
    ...{ settled: grouped(drawn), bad: grouped(bad) },
    ...{ unanswered: grouped(unanswered), waiting: grouped(waiting) },
  });
}

function engineerFacts({ question, method, estimate }: Question) {
  return [
    [t("line.engineers.method", { question }), method],
    [
      t("line.engineers.estimate", { question }),
      estimate === null
        ? undefined
        : `${estimate.risk.toPrecision(4)} ± ${estimate.standardError.toPrecision(2)}`,
    ],
  ] as const;
}

interface BarProps {
  readonly name: string;
  readonly words: string;
  readonly note?: string;
  readonly scale: { readonly alpha: number; readonly riskMax: number };
  readonly bound: number;
  readonly estimate?: number | undefined;
  readonly kind: "allowed" | "certificate" | "audit";
}

function Bar({ name, words, note, scale: { alpha, riskMax }, bound, estimate, kind }: BarProps) {
  const place = (risk: number): string => `${Math.min(100, (100 * risk) / riskMax)}%`;
  const isOver = estimate !== undefined && estimate > alpha;
  return (
    <div class="risk-bar">
      <p class="meter-name">
        <span>{name}</span>
        <strong>{words}</strong>
      </p>
      <div class={`risk-track ${kind} ${isOver ? "over" : ""}`} role="img" aria-label={`${name}: ${words}`}>
        <span class="risk-fill" style={{ width: place(bound) }} />
        {estimate !== undefined && <span class="risk-point" style={{ left: place(estimate) }} />}
        <span class="risk-mark" style={{ left: place(alpha) }} />
      </div>
      {note !== undefined && <p class="hint">{note}</p>}
    </div>
  );
}

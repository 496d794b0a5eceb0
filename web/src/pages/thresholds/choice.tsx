/** What the chosen point comes to: how much passes, what is proven, and what the guard would say, with numbers. */

import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import type { CertificateRule, CertificateView } from "../../contract.ts";
import { type Key, t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Facts, ForEngineers } from "../../ui/details.tsx";
import { Note, State, type Tone } from "../../ui/state.tsx";
import { boundShare, grouped, share } from "../../ui/words.ts";
import type { Outlook } from "./model.ts";

export interface ChoiceProps {
  readonly certificate: CertificateView;
  readonly standing: ThresholdsStanding;
  readonly rule: CertificateRule;
  readonly inForce: CertificateRule | undefined;
  readonly outlook: Outlook;
  readonly monitor: string;
  readonly onBack: () => void;
}

export function Choice({ certificate, standing, rule, inForce, outlook, monitor, onBack }: ChoiceProps) {
  const { station } = rule;
  return (
    <Card
      title={t(outlook === "same" ? "thresholds.choice.same" : "thresholds.choice")}
      class="choice"
      aside={
        outlook !== "same" && inForce !== undefined ? (
          <Button kind="quiet" icon="undo" onClick={onBack}>
            {t("thresholds.choice.back")}
          </Button>
        ) : undefined
      }
    >
      <div class="choice-figures">
        <Figure
          value={share(rule.expectedPassRate)}
          words={t("thresholds.choice.pass")}
          note={
            inForce && outlook !== "same"
              ? t("thresholds.choice.now", { value: share(inForce.expectedPassRate) })
              : undefined
          }
        />
        <Figure
          value={boundShare(station.upperBound)}
          words={t("thresholds.choice.risk")}
          note={t("thresholds.choice.limit", { limit: boundShare(certificate.alpha) })}
        />
      </div>
      <Classes certificate={certificate} rule={rule} />
      <Verdict rule={rule} outlook={outlook} monitor={monitor} />
      <ForEngineers>
        <Facts
          facts={[
            [t("thresholds.engineer.lambda"), rule.lambda],
            [t("thresholds.engineer.inForce"), certificate.lambda ?? "null"],
            [t("thresholds.engineer.bound"), station.upperBound],
            [t("thresholds.engineer.counts"), `${station.n}, ${station.k}`],
            [
              t("thresholds.engineer.method"),
              `${station.method} (${t(`thresholds.short.method.${station.method}` as Key)})`,
            ],
            [t("thresholds.engineer.expected"), rule.expectedPassRate],
            [
              t("thresholds.engineer.alpha"),
              [certificate.alpha, certificate.alphaClass, certificate.eta].join(", "),
            ],
            [t("thresholds.engineer.delta"), certificate.delta],
            [t("thresholds.engineer.classes"), rule.set.join(", ")],
            [t("thresholds.engineer.classLambdas"), classLambdasText(rule)],
            [t("thresholds.engineer.envelope"), <code key="envelope">{standing.envelope}</code>],
          ]}
        />
        {rule.why !== undefined && (
          <>
            <h3>{t("thresholds.words")}</h3>
            <p lang="en">{rule.why.join("; ")}</p>
          </>
        )}
      </ForEngineers>
    </Card>
  );
}

function Figure({
  value,
  words,
  note,
}: {
  readonly value: string;
  readonly words: string;
  readonly note: string | undefined;
}) {
  return (
    <p class="figure">
      <strong>{value}</strong>
      <span>{words}</span>
      {note !== undefined && <small>{note}</small>}
    </p>
  );
}

const TONES: Readonly<Record<Outlook, Tone>> = {
  ...({ same: "good", tighter: "good", looser: "good" } as const),
  ...({ uncertified: "warn", monitor: "warn", refused: "bad" } as const),
};

/** That other classes pass is as much of a change as how many parts do. */
function Classes({ certificate, rule }: Pick<ChoiceProps, "certificate" | "rule">) {
  const dropped = certificate.classes.filter((name) => !rule.set.includes(name));
  const added = rule.set.filter((name) => !certificate.classes.includes(name));
  const stricter = Object.keys(rule.classLambdas);
  const words = [
    dropped.length > 0 && t("thresholds.diff.dropped", { classes: dropped.join(", ") }),
    added.length > 0 && t("thresholds.diff.added", { classes: added.join(", ") }),
    stricter.length > 0 && t("thresholds.choice.stricter", { classes: stricter.join(", ") }),
  ].filter((one) => one !== false);
  if (words.length === 0) return null;
  return (
    <ul class="reasons">
      {words.map((one) => (
        <li key={one}>{one}</li>
      ))}
    </ul>
  );
}

function classLambdasText({ classLambdas }: CertificateRule): string | undefined {
  const all = Object.entries(classLambdas).map(([name, own]) => `${name} ${own}`);
  return all.length > 0 ? all.join(", ") : undefined;
}

export function verdictWords(outlook: Outlook, monitor: string): string {
  return t(`thresholds.verdict.${outlook}`, { state: monitorWord(monitor) });
}

function monitorWord(monitor: string): string {
  return t(`line.monitor.${monitor}` as Key);
}

function Verdict({ rule, outlook, monitor }: Pick<ChoiceProps, "rule" | "outlook" | "monitor">) {
  const short = rule.shortfalls ?? [];
  return (
    <Note tone={TONES[outlook]}>
      <p>
        <strong>{verdictWords(outlook, monitor)}</strong>
      </p>
      {short.length > 0 && (
        <ul class="reasons">
          {short.map((one) => (
            <li key={one.class ?? ""}>
              {t(one.class === null ? "thresholds.short.station" : "thresholds.short.class", {
                ...(one.class !== null && { class: one.class }),
                ...{
                  bound: boundShare(one.upperBound),
                  limit: boundShare(one.limit),
                  n: one.n,
                  k: one.k,
                  clean: one.cleanPartsNeeded,
                },
              })}
            </li>
          ))}
        </ul>
      )}
      {short.length === 0 && rule.why !== undefined && <p lang="en">{rule.why.join("; ")}</p>}
    </Note>
  );
}

export function ClassTable({
  certificate,
  rule,
}: {
  readonly certificate: CertificateView;
  readonly rule: CertificateRule;
}) {
  const passing = [...rule.classes].sort((a, b) => b.upperBound - a.upperBound);
  const others = certificate.allClasses.filter((name) => !passing.some((one) => one.class === name));
  return (
    <Card title={t("thresholds.classes")} class="class-bounds">
      <div class="table-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{t("thresholds.classes.class")}</th>
              <th scope="col" class="number">
                {t("thresholds.classes.risk")}
              </th>
              <th scope="col" class="number">
                {t("thresholds.classes.seen")}
              </th>
              <th scope="col">{t("thresholds.classes.state")}</th>
            </tr>
          </thead>
          <tbody>
            {passing.map((one) => (
              <ClassRow key={one.class} one={one} limit={certificate.alphaClass} />
            ))}
            {others.map((name) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">–</td>
                <td class="number">–</td>
                <td>
                  <State tone="neutral">{t("thresholds.classes.always")}</State>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="hint">{t("thresholds.choice.limit", { limit: boundShare(certificate.alphaClass) })}</p>
    </Card>
  );
}

function ClassRow({
  one,
  limit,
}: {
  readonly one: CertificateRule["classes"][number];
  readonly limit: number;
}) {
  const isProven = one.upperBound <= limit;
  return (
    <tr>
      <th scope="row">{one.class}</th>
      <td class="number">{boundShare(one.upperBound)}</td>
      <td class="number">{t("thresholds.classes.seen.value", { k: grouped(one.k), n: grouped(one.n) })}</td>
      <td>
        <State tone={isProven ? "good" : "bad"}>
          {t(isProven ? "thresholds.classes.ok" : "thresholds.classes.no")}
        </State>
      </td>
    </tr>
  );
}

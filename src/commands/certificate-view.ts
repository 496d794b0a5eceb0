/** A station's certificate for the console: its curve, what is in force on it, and what audits say of that. */

import { setImmediate } from "node:timers/promises";
import { bestOf, type CurvePoint, curveRule } from "../core/envelope/curve.ts";
import type { StationAuditsView } from "../http/audit-schemas.ts";
import type { CertificateView } from "../http/certificate-schemas.ts";
import type { StationSetup } from "./station-setup.ts";

export interface CertificateViewsOptions {
  readonly setups: () => readonly StationSetup[];
  readonly audits: (station: string) => StationAuditsView | undefined;
}

/** A curve is made anew when another envelope, or another promise, comes into force. */
interface Kept {
  readonly key: string;
  readonly points: Promise<readonly CurvePoint[]>;
}

export function createCertificateViews({ setups, audits }: CertificateViewsOptions) {
  const curves = new Map<string, Kept>();

  function curveOf(setup: StationSetup): Promise<readonly CurvePoint[]> {
    const { envelope, alpha, alphaClass, eta } = setup.thresholds;
    const key = JSON.stringify([envelope, alpha, alphaClass, eta]);
    const found = curves.get(setup.name);
    if (found?.key === key) return found.points;
    const points = compute(setup);
    curves.set(setup.name, { key, points });
    points.catch(() => curves.delete(setup.name));
    return points;
  }

  return async (station: string): Promise<CertificateView | undefined> => {
    const setup = setups().find(({ name }) => name === station);
    if (setup === undefined) return undefined;
    const points = await curveOf(setup);
    const names = setup.envelope.fitted.classes;
    const { revision, mode, lambda, classes, classLambdas, alpha, alphaClass, eta } = setup.thresholds;
    const live = audits(station)?.questions.find(({ question }) => question === "teacher");
    return {
      ...{ station, revision, mode, lambda, alpha, alphaClass, eta },
      ...{ classes: [...classes], classLambdas: { ...classLambdas }, certified: setup.certified },
      upperBound: setup.support.station?.upperBound ?? null,
      expectedPassRate: points.find((point) => isInForce(point, setup))?.expectedPassRate ?? null,
      delta: setup.envelope.fitted.delta,
      envelope: setup.thresholds.envelope,
      allClasses: [...names],
      rules: points.map((point) => ruleView(point, names)),
      ...(live && {
        live: {
          ...{ parts: live.parts, audited: live.good + live.bad + live.unanswered },
          ...{ bad: live.bad, risk: live.estimate?.risk ?? null, upperBound: live.upperBound },
        },
      }),
    };
  };
}

/** Rule by rule, each behind the frames that wait. */
async function compute({ envelope, thresholds }: StationSetup): Promise<readonly CurvePoint[]> {
  const { certificate, fitted } = envelope;
  const points: CurvePoint[] = [];
  for (const at of certificate.coarse.keys()) {
    const rules: CurvePoint[] = [];
    for (const chain of certificate.limits.keys()) {
      rules.push(curveRule(certificate, chain, at, thresholds, fitted.classes));
      await setImmediate();
    }
    const best = bestOf(rules);
    if (best !== undefined) points.push(best);
  }
  return points;
}

function isInForce({ proposal }: CurvePoint, { thresholds, envelope }: StationSetup): boolean {
  const { lambda, classes, classLambdas } = namedRule(proposal, envelope.fitted.classes);
  return (
    lambda === thresholds.lambda &&
    classes.join("\n") === [...thresholds.classes].sort().join("\n") &&
    Object.entries(classLambdas).every(([name, own]) => thresholds.classLambdas[name] === own)
  );
}

function namedRule({ lambda, classes, classLambdas }: CurvePoint["proposal"], names: readonly string[]) {
  return {
    lambda,
    classes: classes.map((c) => names[c]!).sort(),
    classLambdas: Object.fromEntries([...classLambdas].map(([c, own]) => [names[c]!, own])),
  };
}

function ruleView(point: CurvePoint, names: readonly string[]): CertificateView["rules"][number] {
  const { lambda, station, classes, expectedPassRate, allowed, why, shortfalls } = point;
  const { n, k, upperBound, method } = station;
  const rule = namedRule(point.proposal, names);
  return {
    ...{ lambda, set: rule.classes, classLambdas: rule.classLambdas, expectedPassRate, allowed },
    station: { n, k, upperBound, method },
    classes: classes.map(({ classIndex, ...cell }) => ({ class: names[classIndex]!, ...cell })),
    ...(!allowed && { why: [...why], shortfalls: shortfalls.map((one) => ({ ...one })) }),
  };
}

/** The rule that a replay judges by: a thresholds file that is not in force, or the lambdas in force, scaled. */

import type { Envelope } from "../../bundle/envelope-file.ts";
import { snapLambda } from "../../core/envelope/lookup.ts";
import { type Support, supportOf } from "../../core/guard.ts";
import type { Rule } from "../../core/judge.ts";
import { readThresholds, type Thresholds } from "../../thresholds/file.ts";
import { proposalOf } from "../../thresholds/proposal.ts";
import type { StationSetup } from "../station-setup.ts";
import { Refusal, refuse } from "../terminal.ts";

export interface ProposalOptions {
  readonly lambdaScale?: string;
  readonly proposal?: string;
}

export interface Proposed {
  readonly thresholds: Thresholds;
  readonly rule: Rule;
  readonly support: Support;
}

/** What is in force itself, where nothing else is asked for. */
export function proposedBy(options: ProposalOptions, setup: StationSetup): Proposed {
  const { lambdaScale, proposal } = options;
  if (lambdaScale !== undefined && proposal !== undefined) {
    throw new Refusal("replay: give one of --lambda-scale and --proposal");
  }
  const thresholds =
    proposal !== undefined
      ? fromFile(proposal, setup)
      : lambdaScale !== undefined
        ? scaled(setup, scaleOf(lambdaScale))
        : setup.thresholds;
  return proposedOf(thresholds, setup);
}

/** What the certificate says of thresholds, and the rule that they come to. */
export function proposedOf(thresholds: Thresholds, { envelope }: StationSetup): Proposed {
  const { certificate, fitted } = envelope;
  const support = supportOf(proposalOf(thresholds, fitted.classes), certificate, fitted.classes);
  return { thresholds, support, rule: ruleAsked(thresholds, envelope, support) };
}

function fromFile(file: string, { name, thresholds: inForce, envelope }: StationSetup): Thresholds {
  const read = readThresholds(file);
  if (!read.ok) return refuse(read.problems);
  const { value, locate } = read;
  if (value.station !== name) {
    return refuse([
      locate(["station"], `station: this proposal is for "${value.station}", not for "${name}"`),
    ]);
  }
  if (value.envelope !== inForce.envelope) {
    return refuse([
      locate(
        ["envelope"],
        `envelope: this proposal is for envelope ${value.envelope}, the scores on record are of ${inForce.envelope}; run its bundle in shadow to see what it would do`,
      ),
    ]);
  }
  const unknown = [...value.classes, ...Object.keys(value.classLambdas)].filter(
    (one) => !envelope.fitted.classes.includes(one),
  );
  if (unknown.length === 0) return value;
  return refuse([locate(["classes"], `classes: the bundle has no class ${unknown.join(", ")}`)]);
}

function scaleOf(text: string): number {
  const scale = Number(text);
  if (scale > 0 && Number.isFinite(scale)) return scale;
  throw new Refusal(`--lambda-scale: expected a number above 0, such as 0.8, found "${text}"`);
}

/** Each lambda times a number, at the next stricter point of the grid: the certificate speaks of no other. */
export function scaled({ thresholds, envelope }: StationSetup, scale: number): Thresholds {
  const { lambda, classLambdas, classes } = thresholds;
  const { certificate } = envelope;
  if (lambda === null) {
    throw new Refusal(
      "--lambda-scale: nothing passes at this station, so there is no lambda to scale; use --proposal",
    );
  }
  const strictest = certificate.lambdas[certificate.coarse[0]!]!;
  const snapped = (own: number): number | undefined =>
    certificate.lambdas[certificate.coarse[snapLambda(certificate, own * scale)] ?? -1];
  const station = snapped(lambda);
  if (station === undefined) {
    throw new Refusal(
      `--lambda-scale: ${scale} times ${lambda} is stricter than the strictest lambda of the grid, ${strictest}; nothing would pass`,
    );
  }
  const own = Object.entries(classLambdas).map(([name, value]) => [name, snapped(value)] as const);
  // A class whose scaled lambda is stricter than the grid does not pass.
  const dropped = own.filter(([, value]) => value === undefined).map(([name]) => name);
  return {
    ...thresholds,
    lambda: station,
    classes: classes.filter((name) => !dropped.includes(name)),
    classLambdas: Object.fromEntries(own.filter((pair): pair is [string, number] => pair[1] !== undefined)),
  };
}

/** As the judge would read it, whether or not the certificate supports it: what it would do can be shown. */
function ruleAsked(
  { mode, revision, lambda, classes, classLambdas }: Thresholds,
  { fitted }: Envelope,
  support: Support,
): Rule {
  const asked = Float64Array.from(fitted.classes, (name) =>
    lambda === null || !classes.includes(name) ? Number.NaN : Math.min(lambda, classLambdas[name] ?? lambda),
  );
  return {
    ...{ mode, revision },
    delta: fitted.delta,
    lambda: support.supported ? support.lambda : asked,
    lambdaAmber: support.supported ? support.lambdaAmber : asked,
    noveltyMax: Float64Array.from(fitted.noveltyMax),
    stopped: false,
  };
}

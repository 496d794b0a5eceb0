/** The next revision as a person wishes for it: what is to change, brought onto the grid, and said of it what is so. */

import { readFileSync } from "node:fs";
import { snapProposal, supportOf } from "../../core/guard.ts";
import { parseThresholds, type Thresholds } from "../../thresholds/file.ts";
import { revisionOf } from "../../thresholds/proposal.ts";
import { signThresholds } from "../../thresholds/signed.ts";
import { bodyOf } from "../revisions.ts";
import { Refusal, refuse } from "../terminal.ts";
import type { Signer, ThresholdsPlace } from "./place.ts";

/** What `propose` may change. */
export interface Wishes {
  readonly lambda?: string;
  readonly lambdaScale?: string;
  readonly alpha?: string;
  readonly alphaClass?: string;
  readonly classLambda?: readonly string[];
  readonly dropClass?: readonly string[];
  readonly addClass?: readonly string[];
  readonly mode?: "shadow" | "guarded";
  readonly auditRate?: string;
  readonly file?: string;
}

export interface Next {
  readonly document: Thresholds;
  /** Lambdas that were moved to the next stricter grid point. */
  readonly moved: readonly { readonly class: string | null; readonly from: number; readonly to: number }[];
}

/** The document that the wishes come to. @throws Refusal where a wish cannot be read, or no grid point is as strict */
export function wished(wishes: Wishes, place: ThresholdsPlace): Next {
  const base = wishes.file === undefined ? baseOf(place) : documentIn(wishes.file);
  const scale = wishes.lambdaScale === undefined ? 1 : numberOf(wishes.lambdaScale, "--lambda-scale");
  const lambda = wishes.lambda === undefined ? base.lambda : numberOf(wishes.lambda, "--lambda");
  const own = Object.fromEntries(
    Object.entries(base.classLambdas).map(([name, value]) => [name, value * scale]),
  );
  for (const text of wishes.classLambda ?? []) {
    const [name, value] = [text.slice(0, text.lastIndexOf("=")), text.slice(text.lastIndexOf("=") + 1)];
    own[name] = numberOf(value, `--class-lambda ${name}`);
  }
  const dropped = new Set(wishes.dropClass ?? []);
  for (const name of dropped) delete own[name];
  const next: Thresholds = {
    ...base,
    lambda: lambda === null ? null : lambda * scale,
    classes: [...new Set([...base.classes, ...(wishes.addClass ?? [])])].filter((name) => !dropped.has(name)),
    classLambdas: own,
    ...(wishes.alpha !== undefined && { alpha: numberOf(wishes.alpha, "--alpha") }),
    ...(wishes.alphaClass !== undefined && { alphaClass: numberOf(wishes.alphaClass, "--alpha-class") }),
    ...(wishes.mode !== undefined && { mode: wishes.mode }),
    ...(wishes.auditRate !== undefined && { auditRate: numberOf(wishes.auditRate, "--audit-rate") }),
  };
  return snapped(next, place);
}

/** Everything to a person. */
export function stopped(place: ThresholdsPlace): Next {
  return { document: { ...baseOf(place), lambda: null }, moved: [] };
}

/** The content of an earlier revision. */
export function rolledBack(to: string, place: ThresholdsPlace): Next {
  const number = numberOf(to, "--to");
  const row = place.acts
    .list({ station: place.setup.name, kinds: ["revision"], limit: 1000 })
    .find(({ revision }) => revision === number);
  if (row === undefined) throw new Refusal(`revision ${to} was never accepted here; see \`thresholds log\``);
  return { document: { ...bodyOf(row).document, rollbackOf: number }, moved: [] };
}

/** The same under the next number, by this person, for this reason, signed. */
export function signedNext(
  { document }: Next,
  place: ThresholdsPlace,
  { person, key }: Signer,
  why: string,
  at: Date,
): Thresholds {
  const { setup, nextRevision } = place;
  const { signatures: _s, certified: _c, ...rest } = document;
  const next: Thresholds = {
    ...rest,
    revision: nextRevision,
    proposedBy: person,
    approvedBy: person,
    at: at.toISOString(),
    why,
  };
  const { classes } = setup.envelope.fitted;
  const support = supportOf(revisionOf(next, classes), setup.envelope.certificate, classes);
  const said = support.supported ? next : { ...next, certified: false };
  return key === undefined ? said : signThresholds(said, key, setup.trust?.keys ?? []);
}

function snapped(next: Thresholds, { setup }: ThresholdsPlace): Next {
  const names = setup.envelope.fitted.classes;
  const strangers = [...next.classes, ...Object.keys(next.classLambdas)].filter(
    (name) => !names.includes(name),
  );
  if (strangers.length > 0) {
    throw new Refusal(`the bundle has no class ${strangers.join(", ")}; it has ${names.join(", ")}`);
  }
  const snap = snapProposal(revisionOf(next, names), setup.envelope.certificate, names);
  if ("reasons" in snap) throw new Refusal(snap.reasons.join("\n"));
  const { lambda, classLambdas } = snap.proposal;
  const own = Object.fromEntries([...classLambdas].map(([c, value]) => [names[c]!, value]));
  return { document: { ...next, lambda, classLambdas: own }, moved: snap.moved };
}

function baseOf({ base, setup }: ThresholdsPlace): Thresholds {
  if (base === undefined || base.envelope !== setup.bundle.manifest.envelope!.sha256) {
    throw new Refusal(
      `${setup.config.thresholds}: there are no thresholds for this bundle's envelope to start from; name some with --file, \`sekisho certify --thresholds\` writes the first`,
    );
  }
  const { rollbackOf: _, ...rest } = base;
  return rest;
}

function documentIn(file: string): Thresholds {
  const parsed = parseThresholds(readFileSync(file, "utf8"), file);
  if (!parsed.ok) return refuse(parsed.problems);
  const { rollbackOf: _, ...rest } = parsed.value;
  return rest;
}

function numberOf(text: string, what: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new Refusal(`${what}: expected a number, found "${text}"`);
  return value;
}

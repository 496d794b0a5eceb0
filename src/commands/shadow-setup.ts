/** What a bundle needs to run in shadow beside the live one. */

import { type Bundle, readBundle } from "../bundle/bundle.ts";
import type { Envelope } from "../bundle/envelope-file.ts";
import type { Rule } from "../core/judge.ts";
import { readThresholds, type Thresholds } from "../thresholds/file.ts";
import { thresholdsFor } from "./first-thresholds.ts";
import { runtimeProblem } from "./models.ts";
import type { StationSetup } from "./station-setup.ts";
import { ruleFor } from "./thresholds-look.ts";
import { bundleKeys } from "./trust.ts";

export interface ShadowSetup {
  readonly bundle: Bundle;
  readonly envelope: Envelope;
  readonly thresholds: Thresholds;
  readonly rule: Rule;
}

/** `promoted`: what the configuration has in shadow is in force. */
export type ShadowRead =
  | { readonly kind: "none" }
  | { readonly kind: "promoted" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "shadow"; readonly setup: ShadowSetup };

/** @param at when thresholds are made that no file gives */
export function readShadow(
  {
    name,
    config,
    trust,
    bundle: live,
    thresholds: inForce,
  }: Pick<StationSetup, "name" | "config" | "trust" | "bundle" | "thresholds">,
  at: Date,
): ShadowRead {
  const { shadow } = config;
  if (shadow === undefined) return { kind: "none" };
  if (live.folder === shadow.bundle) return { kind: "promoted" };
  const refused = (reason: string): ShadowRead => ({ kind: "refused", reason });
  const problemsOf = (problems: readonly { readonly file: string; readonly message: string }[]): string =>
    problems.map(({ file, message }) => `${file}: ${message}`).join("; ");

  const read = readBundle(shadow.bundle, ["envelope"], bundleKeys(trust));
  if (!read.ok) return refused(problemsOf(read.problems));
  const { bundle } = read;
  const { envelope } = bundle;
  if (envelope === undefined) return refused(`${shadow.bundle} has no envelope; certify it first`);
  const foreign = runtimeProblem(envelope);
  if (foreign !== undefined) return refused(`${shadow.bundle}: ${foreign}`);
  const digest = bundle.manifest.envelope!.sha256;

  // What the certificate does not choose stays as it is in force: a promotion changes nothing of that unasked.
  const { mode, reviewDeadlineSeconds, auditRate, auditDeadlineSeconds } = inForce;
  let thresholds: Thresholds = {
    ...thresholdsFor(name, digest, envelope, at),
    ...{ mode, reviewDeadlineSeconds },
    ...(auditRate !== undefined && { auditRate }),
    ...(auditDeadlineSeconds !== undefined && { auditDeadlineSeconds }),
  };
  if (shadow.thresholds !== undefined) {
    const own = readThresholds(shadow.thresholds);
    if (!own.ok) return refused(problemsOf(own.problems));
    thresholds = own.value;
    if (thresholds.station !== name)
      return refused(`${shadow.thresholds}: is for station "${thresholds.station}", not for "${name}"`);
    if (thresholds.envelope !== digest)
      return refused(
        `${shadow.thresholds}: is for envelope ${thresholds.envelope}, that of ${shadow.bundle} is ${digest}`,
      );
  }
  const rule = ruleFor(thresholds, envelope);
  if (typeof rule === "string") return refused(rule);
  return { kind: "shadow", setup: { bundle, envelope, thresholds, rule } };
}

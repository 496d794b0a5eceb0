/** `sekisho bundle verify`: proves that a bundle is whole, and, by a configuration's keys, who answers for it. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBundle } from "../../bundle/bundle.ts";
import { frameSpecOf } from "../../bundle/manifest.ts";
import { SIGNATURE_FILE } from "../../bundle/signature.ts";
import { parseConfig } from "../../config/config.ts";
import type { GoldenFrame } from "../../core/golden.ts";
import { proveStudent } from "../../engine/golden-frames.ts";
import { formatJson } from "../../schema/format-json.ts";
import type { TrustedKey } from "../../signing/dsse.ts";
import { runtimeProblem, studentSpec } from "../models.ts";
import type { Surroundings } from "../run.ts";
import { Refusal, refuse, type Terminal } from "../terminal.ts";
import { readTrust } from "../trust.ts";

export interface VerifyOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export async function verify(
  dir: string,
  { config, json }: VerifyOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
): Promise<void> {
  const trusted = config === undefined ? undefined : keysFor(dir, config, environment);
  const read = readBundle(dir, undefined, trusted);
  if (!read.ok) return refuse(read.problems);
  const { manifest, digest, studentBytes, envelope, signers } = read.bundle;
  const foreign = envelope && runtimeProblem(envelope);
  if (foreign !== undefined) throw new Refusal(`${dir}: ${foreign}`);
  try {
    await proveStudent(
      studentBytes,
      studentSpec(manifest),
      frameSpecOf(manifest.frame),
      manifest.preprocessing,
      manifest.golden as readonly GoldenFrame[],
    );
  } catch (error) {
    throw new Refusal(`${dir}: ${(error as Error).message}`);
  }
  const summary = {
    bundle: manifest.name,
    version: manifest.version,
    sha256: digest,
    classes: manifest.classes.length,
    goldenFrames: manifest.golden.length,
    envelope: envelope === undefined ? null : manifest.envelope!.sha256,
    // Null where nobody asked.
    signedBy: config === undefined ? null : signers,
  };
  if (json) {
    terminal.out(formatJson(summary));
    return;
  }
  const signed = signers.length === 0 ? "not signed" : `signed by ${signers.join(" and ")}`;
  terminal.out(
    `${manifest.name} ${manifest.version}: whole, ${manifest.golden.length} golden frames reproduced, ` +
      `${envelope === undefined ? "no envelope yet" : "envelope bound to this student"}` +
      `${config === undefined ? "" : `, ${signed}`}\n`,
  );
}

/** The keys of which one must have signed; undefined where it need not be signed and is not. */
function keysFor(
  dir: string,
  file: string,
  environment: Surroundings["environment"],
): readonly TrustedKey[] | undefined {
  const parsed = parseConfig(file, environment);
  if (!parsed.ok) return refuse(parsed.problems);
  const read = readTrust(parsed.value, parsed.locate);
  if (!read.ok) return refuse(read.problems);
  if (read.trust === undefined) {
    throw new Refusal(`${file}: trusts no keys; name them in trust.keys, or verify without --config`);
  }
  // One that may be unsigned must still not be wrongly signed: somebody changed it.
  const isAsked = read.trust.bundles === "signed" || existsSync(join(dir, SIGNATURE_FILE));
  return isAsked ? read.trust.keys : undefined;
}

/** Reads a bundle: every file against its digest, every number against its neighbours, all problems at once. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Locate, type Problem, readDocument } from "../schema/document.ts";
import type { TrustedKey } from "../signing/dsse.ts";
import { type Envelope, readEnvelope } from "./envelope-file.ts";
import { contradictions, type Manifest, ManifestSchema } from "./manifest.ts";
import { bundleSigners, SIGNATURE_FILE } from "./signature.ts";

export interface Bundle {
  readonly folder: string;
  readonly manifest: Manifest;
  /** SHA-256 of bundle.json, which holds the digests of all the rest. */
  readonly digest: string;
  readonly studentBytes: Uint8Array;
  /** Undefined where the bundle has none yet. */
  readonly envelope: Envelope | undefined;
  /** Who signed it; nobody where no signature was asked for. */
  readonly signers: readonly string[];
}

export type ReadBundle =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export const MANIFEST_FILE = "bundle.json";

/** SHA-256 in lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Files that a bundle may lack, or that who reads it has no need of. */
export type OptionalRole = "teacher" | "envelope" | "evidence";

const ALL_ROLES: readonly OptionalRole[] = ["teacher", "envelope", "evidence"];

/**
 * Reads and verifies a bundle, all but what only an engine can tell: that the student runs and reproduces its
 * golden frames.
 * @param roles files to verify beside the student; those left out are not opened
 * @param trusted keys of which one must have signed it; undefined where it need not be signed
 */
export function readBundle(folder: string, roles = ALL_ROLES, trusted?: readonly TrustedKey[]): ReadBundle {
  const manifestFile = join(folder, MANIFEST_FILE);
  const manifestBytes = readOr(manifestFile);
  if (manifestBytes instanceof Error)
    return refused(manifestFile, `cannot read the bundle: ${manifestBytes.message}`);
  // Before anything of it is looked into.
  const signed = trusted && bundleSigners(folder, manifestBytes, trusted);
  if (signed?.ok === false) return refused(join(folder, SIGNATURE_FILE), signed.reason);
  const parsed = readDocument(manifestBytes.toString("utf8"), manifestFile, ManifestSchema);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  const problems: Problem[] = [...contradictions(manifest, parsed.locate)];

  const student = digested(folder, "student", manifest.student, parsed.locate, problems);
  const wanted = (role: OptionalRole): Buffer | undefined => {
    const named = manifest[role];
    return named !== undefined && roles.includes(role)
      ? digested(folder, role, named, parsed.locate, problems)
      : undefined;
  };
  wanted("teacher");
  wanted("evidence");
  const envelopeBytes = wanted("envelope");

  let envelope: Envelope | undefined;
  if (envelopeBytes !== undefined) {
    const read = readEnvelope(envelopeBytes.toString("utf8"), join(folder, manifest.envelope!.file));
    if (read.ok) {
      envelope = read.envelope;
      problems.push(...strangers(envelope, manifest, parsed.locate));
    } else problems.push(...read.problems);
  }
  if (problems.length > 0 || student === undefined) return { ok: false, problems };
  return {
    ok: true,
    bundle: {
      ...{ folder, manifest, digest: sha256(manifestBytes), studentBytes: student, envelope },
      signers: signed?.persons ?? [],
    },
  };
}

/** Reads one file of a bundle, if it is there and has the digest that the manifest names. */
function digested(
  folder: string,
  role: "student" | "teacher" | "envelope" | "evidence",
  named: { readonly file: string; readonly sha256: string },
  locate: Locate,
  problems: Problem[],
): Buffer | undefined {
  const bytes = readOr(join(folder, named.file));
  if (bytes instanceof Error) {
    problems.push(locate([role, "file"], `${role}: cannot read ${named.file}: ${bytes.message}`));
    return undefined;
  }
  const found = sha256(bytes);
  if (found === named.sha256) return bytes;
  const message = `${role}: ${named.file} is not the file this bundle was made with: expected SHA-256 ${named.sha256}, found ${found}`;
  problems.push(locate([role, "sha256"], message));
  return undefined;
}

/** Where an envelope was made for another student, other classes or other preprocessing. */
function strangers(envelope: Envelope, manifest: Manifest, locate: Locate): readonly Problem[] {
  const problems: Problem[] = [];
  const compare = (what: string, expected: unknown, found: unknown): void => {
    if (JSON.stringify(expected) === JSON.stringify(found)) return;
    const message = `envelope: was made for ${what} ${JSON.stringify(found)}, the bundle has ${JSON.stringify(expected)}; certify again`;
    problems.push(locate(["envelope"], message));
  };
  compare("a student with SHA-256", manifest.student.sha256, envelope.student.sha256);
  compare("classes", manifest.classes, envelope.fitted.classes);
  compare("preprocessing", manifest.preprocessing, envelope.preprocessing);
  return problems;
}

function readOr(file: string): Buffer | Error {
  try {
    return readFileSync(file);
  } catch (error) {
    return error as Error;
  }
}

function refused(file: string, message: string): ReadBundle {
  return { ok: false, problems: [{ file, line: 1, column: 1, message }] };
}

/** Copies of the apparel bundle, not yet certified, whose evidence may be changed before it is bound again. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../../src/bundle/bundle.ts";
import type { EvidenceDescription } from "../../src/bundle/evidence-description.ts";
import { Database } from "../../src/sqlite/database.ts";
import { MODELS } from "./apparel.ts";

interface BundleFile {
  readonly file: string;
  readonly sha256: string;
}

/** A copy with its evidence changed, as if it had been recorded so. */
export function anUncertifiedBundle(change: (evidence: Database) => void = () => {}): string {
  const bundle = join(mkdtempSync(join(tmpdir(), "sekisho-bundle-")), "apparel");
  for (const file of ["student.onnx", "teacher.onnx", "evidence.sqlite"]) {
    cpSync(join(MODELS, "apparel", file), join(bundle, file));
  }
  const evidence = new Database(join(bundle, "evidence.sqlite"));
  evidence.pragma("foreign_keys = OFF");
  evidence.transaction(() => change(evidence))();
  evidence.close();
  const manifest = JSON.parse(readFileSync(join(MODELS, "apparel", "bundle.json"), "utf8"));
  const { envelope: _, ...rest } = manifest as { envelope: BundleFile };
  const bound = { file: "evidence.sqlite", sha256: sha256(readFileSync(join(bundle, "evidence.sqlite"))) };
  writeFileSync(join(bundle, "bundle.json"), JSON.stringify({ ...rest, evidence: bound }));
  return bundle;
}

/** Names a file's new content in its bundle's manifest, as if the bundle had been made with it. */
export function bindAgain(bundle: string, role: "envelope" | "evidence"): string {
  const file = join(bundle, "bundle.json");
  const manifest = JSON.parse(readFileSync(file, "utf8")) as Record<string, BundleFile>;
  const digest = sha256(readFileSync(join(bundle, manifest[role]!.file)));
  writeFileSync(file, JSON.stringify({ ...manifest, [role]: { ...manifest[role], sha256: digest } }));
  return digest;
}

/** Changes members of the description that evidence holds of itself. */
export function describeAs(evidence: Database, changes: Partial<EvidenceDescription>): void {
  const body = JSON.parse(evidence.prepare("SELECT body FROM description").pluck().get() as string);
  evidence.prepare("UPDATE description SET body = ?").run(JSON.stringify({ ...body, ...changes }));
}

/** What a folder holds, to see whether a command left it alone. */
export function contentOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((file) => [file, sha256(readFileSync(join(folder, file)))]),
  );
}

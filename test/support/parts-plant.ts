/** A plant with parts: a bundle whose certificate is of parts with several frames, and a sensor that sends them. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "../../src/sqlite/database.ts";
import { type GatewayFolder, MODELS, THRESHOLDS } from "./apparel.ts";
import { bindAgain } from "./spoiled-bundle.ts";

export const FRAMES_PER_PART_MAX = 4;

/** As if the apparel evidence had had parts of several frames; all else of the certificate is as it is. */
export function aPartsFolder(brokerUrl: string, windowSeconds: number): GatewayFolder {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-parts-"));
  const bundle = join(folder, "apparel");
  mkdirSync(bundle);
  for (const file of ["bundle.json", "envelope.json", "student.onnx"])
    cpSync(join(MODELS, "apparel", file), join(bundle, file));
  const envelope = join(bundle, "envelope.json");
  const text = readFileSync(envelope, "utf8");
  const certified = text.replace(/"framesPerPartMax": *1\b/, `"framesPerPartMax": ${FRAMES_PER_PART_MAX}`);
  if (certified === text) throw new Error("expected an envelope of parts with one frame, found another");
  writeFileSync(envelope, certified);
  const thresholds = JSON.parse(readFileSync(join(THRESHOLDS, "apparel.json"), "utf8"));
  writeFileSync(
    join(folder, "thresholds.json"),
    JSON.stringify({ ...thresholds, envelope: bindAgain(bundle, "envelope") }),
  );
  const config = join(folder, "sekisho.yaml");
  writeFileSync(
    config,
    `gateway: test
broker: { url: "${brokerUrl}" }
stations:
  apparel:
    frames:
      topic: apparel/{source}/frames/{frame}
      encodings: [raw, json]
    bundle: apparel
    thresholds: thresholds.json
    parts: { windowSeconds: ${windowSeconds} }
ledger: { path: test.ledger, ballastBytes: 65536 }
http: { port: 0 }
`,
  );
  return { folder, config, ledger: join(folder, "test.ledger") };
}

export interface PartRow {
  readonly id: number;
  readonly frame: string;
  readonly part: string;
  readonly decision: string;
  readonly reason: string;
  readonly review: string | null;
  /** Of the row that decides the part. */
  readonly frames: number | null;
  readonly isOpen: number;
}

/** All rows of parts in the ledger of a gateway that has ended, in order. */
export function partRows(ledger: string): readonly PartRow[] {
  const db = new Database(ledger, { readonly: true });
  try {
    return db
      .prepare(
        `SELECT d.id, d.frame, d.part, d.decision, d.reason, d.review, p.frames, p.is_open AS isOpen
         FROM part_rows p JOIN decisions d ON d.id = p.decision ORDER BY d.id`,
      )
      .all() as PartRow[];
  } finally {
    db.close();
  }
}

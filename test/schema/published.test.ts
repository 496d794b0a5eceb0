/** schemas/ is generated from the schemas that check the files; this holds it fresh. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { EnvelopeSchema } from "../../src/bundle/envelope-file.ts";
import { readEvidence } from "../../src/bundle/evidence.ts";
import { EvidenceDescriptionSchema } from "../../src/bundle/evidence-description.ts";
import { ManifestSchema } from "../../src/bundle/manifest.ts";
import { revisionMessage } from "../../src/commands/kept-told-revisions.ts";
import { decisionBody } from "../../src/gateway/messages.ts";
import { alarmMessage, closeMessage, openMessage, updateMessage } from "../../src/gateway/review-messages.ts";
import { formatJson } from "../../src/schema/format-json.ts";
import { FrameMessageSchema } from "../../src/schema/frame-message.ts";
import {
  DecisionMessageSchema,
  InfoSchema,
  StateSchema,
  StationStatusSchema,
  ThresholdsReplySchema,
} from "../../src/schema/gateway-messages.ts";
import {
  MonitorMessageSchema,
  ReviewAlarmSchema,
  ReviewCloseSchema,
  ReviewOpenSchema,
  ReviewUpdateSchema,
  ThresholdsMessageSchema,
  VerdictReplySchema,
  VerdictSchema,
} from "../../src/schema/review-messages.ts";
import { TeacherRequestSchema, TeacherResponseSchema } from "../../src/schema/teacher-messages.ts";
import { DsseEnvelopeSchema, sign } from "../../src/signing/dsse.ts";
import { ThresholdsSchema } from "../../src/thresholds/file.ts";
import { MODELS, THRESHOLDS } from "../support/apparel.ts";
import { aPerson } from "../support/keys.ts";
import { AN_ALERT, aReview } from "../support/reviews.ts";

const FOLDER = fileURLToPath(new URL("../../schemas", import.meta.url));
const DRAFT = "https://json-schema.org/draft/2020-12/schema";

const json = (...path: string[]): unknown => JSON.parse(readFileSync(join(...path), "utf8"));

const A_DECISION: Parameters<typeof decisionBody>[0] = {
  ...{ station: "press", source: "cam-1", frame: "f-1", part: null, frames: null, would: null },
  ...{ decision: "reject", reason: "too-short", className: null, classIndex: null, confidence: null },
  ...{ score: null, lambda: null, bandLow: null, bandHigh: null, mode: "guarded", revision: 1 },
};

/** File, schema, and a document that it describes. */
const PUBLISHED: readonly (readonly [string, object, () => unknown])[] = [
  ["bundle.schema.json", ManifestSchema, () => json(MODELS, "apparel", "bundle.json")],
  [
    "signature.schema.json",
    DsseEnvelopeSchema,
    () => sign("application/vnd.sekisho.bundle+json", Buffer.from("{}"), aPerson("hanako").signing),
  ],
  ["envelope.schema.json", EnvelopeSchema, () => json(MODELS, "apparel", "envelope.json")],
  [
    "review-open.schema.json",
    ReviewOpenSchema,
    () =>
      JSON.parse(openMessage(aReview(), { contentType: "image/png", payload: Uint8Array.of(1) }, AN_ALERT)),
  ],
  [
    "review-update.schema.json",
    ReviewUpdateSchema,
    () => JSON.parse(updateMessage(aReview({ claimedBy: "hanako", claimedUntilMs: 1 }), 0, "en")),
  ],
  [
    "review-close.schema.json",
    ReviewCloseSchema,
    () =>
      JSON.parse(
        closeMessage(
          aReview({
            state: "resolved",
            verdict: "confirm",
            verdictClass: "good",
            reviewer: "h",
            vouched: true,
          }),
          0,
          "ja",
        ),
      ),
  ],
  [
    "review-alarm.schema.json",
    ReviewAlarmSchema,
    () => {
      const answer = { state: "resolved", verdict: "label", verdictClass: "bad", vouched: true } as const;
      const review = aReview({ reason: "audit", reviewer: "h", ...answer });
      return JSON.parse(alarmMessage(review, "good", 0, "ja"));
    },
  ],
  [
    "monitor.schema.json",
    MonitorMessageSchema,
    () => ({
      ...{ type: "monitor", monitor: "press-monitor-a-7", station: "press", state: "red" },
      ...{ since: "2026-11-25T08:00:00.000Z", evidence: { drift: 31.5, risk: null } },
      ...{ text: "press's monitor is red.", at: "2026-11-25T08:00:00.000Z" },
    }),
  ],
  [
    "thresholds-message.schema.json",
    ThresholdsMessageSchema,
    () => {
      const body = { certified: false, persons: ["aki"], document: { revision: 7, why: "too many escapes" } };
      const act = { seq: 9, station: "press", kind: "revision", revision: 7, atMs: 0 } as const;
      return JSON.parse(
        String(revisionMessage("t", "a", { ...act, body: JSON.stringify(body) }, "ja").payload),
      );
    },
  ],
  [
    "verdict.schema.json",
    VerdictSchema,
    () => ({
      review: "r-1",
      reviewRevision: 1,
      verdict: "label",
      class: "bad",
      token: "t",
      transaction: "1",
    }),
  ],
  [
    "verdict-reply.schema.json",
    VerdictReplySchema,
    () => ({
      ok: false,
      review: "r-1",
      reviewRevision: null,
      state: null,
      error: { code: "unknown-review", message: "there is no review r-1" },
    }),
  ],
  [
    "teacher-request.schema.json",
    TeacherRequestSchema,
    () => ({
      ...{ audit: "r-1", bundle: "0".repeat(64), station: "press", at: "2026-11-25T08:31:02.114Z" },
      frames: [{ contentType: "image/png", payload: "AQ==" }],
    }),
  ],
  [
    "teacher-response.schema.json",
    TeacherResponseSchema,
    () => ({
      ...{ audit: "r-1", bundle: "0".repeat(64), worker: "teacher-1", at: "2026-11-25T08:31:02.114Z" },
      answer: {
        ...{ unfaithful: true, gapMax: 0.31, teacherClass: "bent", studentClass: "good" },
        neighbourhood: "recorded",
      },
    }),
  ],
  [
    "decision.schema.json",
    DecisionMessageSchema,
    () => JSON.parse(JSON.stringify(decisionBody(A_DECISION, "2026-11-25T08:31:02.114Z"))),
  ],
  ["state.schema.json", StateSchema, () => ({ state: "online", session: 3 })],
  [
    "info.schema.json",
    InfoSchema,
    () => ({
      ...{ gateway: "hall-2", version: "0.1.0", chainHead: `${"0".repeat(64)}@12` },
      stations: [
        {
          ...{ station: "press", bundle: "press", bundleVersion: "1", revision: 1 },
          ...{ bundleSha256: "0".repeat(64), envelopeSha256: "1".repeat(64) },
        },
      ],
    }),
  ],
  [
    "station-status.schema.json",
    StationStatusSchema,
    () => ({
      ...{ station: "press", mode: "guarded", monitor: "green", revision: 1, certified: true, signed: true },
      ...{ openReviews: 0, heldReviews: 0, overdueReviews: 0 },
    }),
  ],
  [
    "thresholds-reply.schema.json",
    ThresholdsReplySchema,
    () => ({ outcome: "accepted", station: "press", revision: 2, certified: true, reasons: [] }),
  ],
  ["thresholds.schema.json", ThresholdsSchema, () => json(THRESHOLDS, "apparel.json")],
  [
    "evidence-description.schema.json",
    EvidenceDescriptionSchema,
    () => readEvidence(join(MODELS, "apparel", "evidence.sqlite")).description,
  ],
];

/** Published for whoever sends frames; what else is in one is not looked at. */
const FRAME = "frame.schema.json";

describe("the JSON Schema files", () => {
  test("are these and no others", () => {
    // The API's description is held fresh by test/http/openapi.test.ts, the configuration's by test/config.
    const files = [...PUBLISHED.map(([file]) => file), FRAME, "openapi.json", "sekisho.schema.json"];
    expect(readdirSync(FOLDER).sort()).toEqual(files.sort());
  });

  // Written by `UPDATE_SCHEMAS=1 npx vitest run test/schema`.
  test.each<readonly [string, object]>([
    ...PUBLISHED.map(([file, schema]) => [file, schema] as const),
    [FRAME, FrameMessageSchema],
  ])("%s is what the program checks by", (file, schema) => {
    const text = formatJson({ $schema: DRAFT, ...schema });
    if (process.env.UPDATE_SCHEMAS === "1") writeFileSync(join(FOLDER, file), text);
    expect(readFileSync(join(FOLDER, file), "utf8")).toBe(text);
  });

  test.each(PUBLISHED)("%s takes a document that it is for, and no other member", (file, _, example) => {
    const check = new Ajv2020({ strict: true }).compile(json(FOLDER, file) as object);
    const document = example() as object;
    expect(check(document), JSON.stringify(check.errors)).toBe(true);
    expect(check({ ...document, mood: "good" })).toBe(false);
  });
});

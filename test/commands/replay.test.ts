/** `sekisho replay` as a user runs it: what it says, in words and numbers, and what it refuses. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import { MODELS, THRESHOLDS } from "../support/apparel.ts";
import { aJudged } from "../support/builders.ts";
import { sekisho } from "../support/cli.ts";
import { aRealLedger } from "../support/ledger.ts";

const folder = mkdtempSync(join(tmpdir(), "sekisho-replay-"));
const inFolder = (name: string): string => join(folder, name);
const replay = (...args: string[]) =>
  sekisho(["replay", "apparel", "--config", inFolder("sekisho.yaml"), ...args]);
const SINCE = ["--since", "2026-03-01T00:00:00Z"];

describe("sekisho replay", () => {
  const thresholds = JSON.parse(readFileSync(join(THRESHOLDS, "apparel.json"), "utf8"));
  const { lambda, revision, classes } = thresholds as { lambda: number; revision: number; classes: string[] };

  beforeAll(() => {
    const read = readBundle(join(MODELS, "apparel"), ["envelope"]);
    if (!read.ok) throw new Error("the apparel bundle cannot be read");
    const names = read.bundle.manifest.classes;
    const ledger = aRealLedger({ path: inFolder("sekisho.ledger") });
    const startMs = Date.parse("2026-03-01T06:00:00Z");
    const classIndex = names.indexOf(classes[0]!);
    ledger.append(
      Array.from({ length: 200 }, (_, i) => {
        const score = (lambda * i) / 100;
        const made = aJudged({ id: `f${i}`, station: "apparel", score, decidedAtMs: startMs + i * 60_000 });
        const decision = score <= lambda ? made.decision : ({ kind: "review", reason: "score" } as const);
        const prediction = { ...made.prediction!, classIndex };
        return {
          ...made,
          decision,
          prediction,
          className: classes[0],
          lambda,
          revision,
          bundle: read.bundle.digest,
        };
      }),
    );
    ledger.close();
    writeFileSync(inFolder("thresholds.json"), JSON.stringify(thresholds));
    writeFileSync(
      inFolder("sekisho.yaml"),
      `gateway: test
broker: { url: "mqtt://127.0.0.1:1" }
stations:
  apparel:
    frames: { topic: "apparel/{source}/frames/{frame}", encodings: [raw] }
    bundle: ${MODELS}/apparel
    thresholds: thresholds.json
review: { alertsPerHour: 20 }
`,
    );
  });

  test("without a proposal shows that what is in force does what is on record", async () => {
    const { status, stdout } = await replay(...SINCE, "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ station: "apparel", isInForce: true, agreement: { rows: 200, differing: 0 } },
      decided: { decided: 200, now: 99, would: 99 },
    });
    expect((await replay(...SINCE)).stdout).toContain(
      "the 200 rows of this revision come out as they are on record",
    );
  });

  test("of lambdas scaled shows who would go to a person, how many an hour, and that the table supports it", async () => {
    const { status, stdout } = await replay(...SINCE, "--lambda-scale", "0.5", "--json");
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.proposal.lambda).toBeLessThanOrEqual(lambda / 2);
    expect(report.certificate).toMatchObject({ supported: true, reasons: [] });
    expect(report.certificate.stationBound).toBeLessThanOrEqual(thresholds.alpha);
    const passing = Math.floor((100 * report.proposal.lambda) / lambda) + 1;
    expect(report.decided).toMatchObject({ decided: 200, now: 99, would: 200 - passing });
    expect(report.moved).toMatchObject({ passToReview: 101 - passing, reviewToPass: 0 });
    expect(report.reviewsPerHour).toMatchObject({ budget: 20, would: { largestHour: 60 } });
    expect(report.reviewsPerHour.would.perHour).toBeCloseTo((200 - passing) / (199 / 60), 6);
    const { stdout: text } = await replay(...SINCE, "--lambda-scale", "0.5");
    expect(text).toContain(
      `${101 - passing} that passed would go to a person, 0 that went to a person would pass.`,
    );
    expect(text).toMatch(/The certificate supports it: at most \d\.\d\d% of what passes is unfaithful/);
  });

  test("of a proposal that the certificate does not support says so, and what it would do", async () => {
    writeFileSync(inFolder("proposal.json"), JSON.stringify({ ...thresholds, revision: 9, alpha: 0.0001 }));
    const { status, stdout } = await replay(...SINCE, "--proposal", inFolder("proposal.json"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/The certificate does not support it: station: bound .* is above alpha 0\.0100%/);
  });

  test("of lambdas that no rule of the family has says so too", async () => {
    const { status, stdout } = await replay(...SINCE, "--lambda-scale", "2", "--json");
    expect(status).toBe(0);
    const { certificate, moved } = JSON.parse(stdout);
    expect(certificate).toMatchObject({ supported: false, reasons: [expect.stringMatching(/./)] });
    expect(moved.reviewToPass).toBeGreaterThan(0);
  });

  test("looks a day back where it is not told otherwise", async () => {
    const { status, stdout } = await replay();
    expect(status).toBe(0);
    expect(stdout).toContain("nothing on record in this time");
  });

  test.each<[string, string[], RegExp]>([
    [
      "both kinds of proposal",
      ["--lambda-scale", "1", "--proposal", "x"],
      /one of --lambda-scale and --proposal/,
    ],
    ["a scale that is no number", ["--lambda-scale", "much"], /--lambda-scale: expected a number above 0/],
    ["a scale below the grid", ["--lambda-scale", "1e-9"], /stricter than the strictest lambda of the grid/],
    [
      "a proposal for another envelope",
      ["--proposal", inFolder("other.json")],
      /for envelope 0000.*in shadow/,
    ],
    [
      "a proposal for another station",
      ["--proposal", inFolder("station.json")],
      /is for "press", not for "apparel"/,
    ],
    ["a time that is none", ["--since", "yesterday"], /--since: expected a day or a time with its zone/],
    [
      "an end before the beginning",
      [...SINCE, "--until", "2026-02-01"],
      /--until: expected a time behind --since/,
    ],
    ["a ledger that is not there", ["--ledger", inFolder("none")], /there is no ledger/],
  ])("refuses %s", async (_, args, reason) => {
    writeFileSync(inFolder("other.json"), JSON.stringify({ ...thresholds, envelope: "0".repeat(64) }));
    writeFileSync(inFolder("station.json"), JSON.stringify({ ...thresholds, station: "press" }));
    const { status, stderr } = await replay(...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(reason);
  });

  test("refuses a station that is not configured", async () => {
    const { status, stderr } = await sekisho(["replay", "press", "--config", inFolder("sekisho.yaml")]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/has no station "press"; it has apparel/);
  });
});

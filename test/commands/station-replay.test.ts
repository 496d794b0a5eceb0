/** What the console is told of a certificate, and of what another lambda would have done: with the shipped bundle. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createCertificateViews } from "../../src/commands/certificate-view.ts";
import { type ReplayTask, replayElsewhere } from "../../src/commands/replay/elsewhere.ts";
import { createStationReplay } from "../../src/commands/station-replay.ts";
import { type StationSetup, setUpStations } from "../../src/commands/station-setup.ts";
import { readConfig } from "../../src/config/config.ts";
import type { Config } from "../../src/config/schema.ts";
import { supportOf } from "../../src/core/guard.ts";
import { proposalOf } from "../../src/thresholds/proposal.ts";
import { MODELS, THRESHOLDS } from "../support/apparel.ts";
import { aJudged } from "../support/builders.ts";
import { STATION_AUDITS } from "../support/http.ts";
import { aRealLedger } from "../support/ledger.ts";

const MODULE = new URL("../../dist/commands/replay/replay-main.js", import.meta.url);
const NOW_MS = Date.parse("2026-03-01T10:00:00Z");

let config: Config;
let setup: StationSetup;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-curve-"));
  writeFileSync(join(folder, "thresholds.json"), readFileSync(join(THRESHOLDS, "apparel.json")));
  const file = join(folder, "sekisho.yaml");
  writeFileSync(
    file,
    `gateway: test
broker: { url: "mqtt://127.0.0.1:1" }
stations:
  apparel:
    frames: { topic: "apparel/{source}/frames/{frame}", encodings: [raw] }
    bundle: ${MODELS}/apparel
    thresholds: thresholds.json
`,
  );
  const parsed = readConfig(file, {});
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  config = parsed.value;
  const setups = setUpStations(config, parsed.locate, undefined);
  if (!setups.ok) throw new Error(JSON.stringify(setups.problems));
  setup = setups.stations[0]!;
  const { lambda, classes, revision } = setup.thresholds;
  const ledger = aRealLedger({ path: config.ledger.path });
  ledger.append(
    Array.from({ length: 200 }, (_, i) => {
      const score = (lambda! * i) / 100;
      const decidedAtMs = NOW_MS - (200 - i) * 60_000;
      const made = aJudged({ id: `f${i}`, station: "apparel", score, decidedAtMs });
      const classIndex = setup.envelope.fitted.classes.indexOf(classes[0]!);
      return {
        ...made,
        decision: score <= lambda! ? made.decision : ({ kind: "review", reason: "score" } as const),
        prediction: { ...made.prediction!, classIndex },
        ...{ className: classes[0], lambda: lambda!, revision, bundle: setup.bundle.digest },
      };
    }),
  );
  ledger.close();
});

const run = (task: ReplayTask, deadlineMs: number) => replayElsewhere(task, deadlineMs, MODULE);
const aReplay = (is: Partial<Parameters<typeof createStationReplay>[0]> = {}) =>
  createStationReplay({ config, setups: () => [setup], clock: { nowMs: () => NOW_MS }, run, ...is });

describe("the curve", () => {
  const views = () => createCertificateViews({ setups: () => [setup], audits: () => STATION_AUDITS });

  test("says of each rule what the guard says of it as a proposal", async () => {
    const { rules, ...inForce } = (await views()("apparel"))!;
    const { certificate, fitted } = setup.envelope;
    expect(rules.map(({ lambda }) => lambda)).toEqual(
      certificate.coarse.map((at) => certificate.lambdas[at]),
    );
    for (const rule of rules) {
      const { alpha, alphaClass, eta } = inForce;
      const proposal = {
        ...setup.thresholds,
        alpha,
        alphaClass,
        eta,
        lambda: rule.lambda,
        classes: rule.set,
      };
      const named = proposalOf({ ...proposal, classLambdas: rule.classLambdas }, fitted.classes);
      const support = supportOf(named, certificate, fitted.classes);
      expect(support.supported).toBe(rule.allowed);
      expect(rule.station.upperBound <= inForce.alpha || !rule.allowed).toBe(true);
      if (!support.supported) expect(rule.why).toEqual(support.reasons);
    }
    expect(new Set(rules.map(({ allowed }) => allowed))).toEqual(new Set([true, false]));
  });

  test("has what is in force on it, and what audits say of that", async () => {
    const view = (await views()("apparel"))!;
    const { lambda, classes, revision } = setup.thresholds;
    expect(view).toMatchObject({ station: "apparel", revision, lambda, classes, certified: true });
    expect(view.expectedPassRate).toBe(view.rules.find((rule) => rule.lambda === lambda)!.expectedPassRate);
    expect(view.live).toEqual({ parts: 1000, audited: 52, bad: 1, risk: 0.04, upperBound: 0.16 });
  });

  test("of a station that there is not is none", async () => {
    expect(await views()("press")).toBeUndefined();
  });
});

describe("a replay for the console", () => {
  test("says in another process what another lambda would have done in the last hours", async () => {
    const replay = aReplay();
    const whole = await replay("apparel", { hours: 24 });
    expect(whole).toMatchObject({
      kind: "done",
      report: {
        isInForce: false,
        decided: { decided: 200, now: 99, would: 99 },
        agreement: { differing: 0 },
      },
    });
    const half = await replay("apparel", { hours: 24, lambda: setup.thresholds.lambda! / 2 });
    if (half.kind !== "done") throw new Error(JSON.stringify(half));
    expect(half.report.proposal.lambda).toBeLessThanOrEqual(setup.thresholds.lambda! / 2);
    expect(half.report.decided.would).toBeGreaterThan(99);
    expect(half.report.moved.reviewToPass).toBe(0);
    const scaled = await replay("apparel", { hours: 24, lambdaScale: 0.5 });
    expect(scaled).toEqual(half);
    expect(await replay("apparel", { hours: 1 })).toMatchObject({ report: { decided: { decided: 60 } } });
  });

  test.each([
    ["stricter than the grid", { lambda: 1e-9 }, /no grid point is as strict/],
    ["with both ways to say it", { lambda: 0.1, lambdaScale: 1 }, /one of/],
    ["of a class that there is not", { classes: ["hat"] }, /no class hat/],
  ])("%s is refused", async (_, is, why) => {
    expect(await aReplay()("apparel", { hours: 1, ...is })).toMatchObject({
      kind: "refused",
      why: expect.stringMatching(why),
    });
  });

  test("is one at a time, and free again when it has failed", async () => {
    let fail = (_: Error): void => {};
    const replay = aReplay({
      run: () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    });
    const first = replay("apparel", { hours: 1 });
    expect(await replay("apparel", { hours: 1 })).toEqual({ kind: "busy" });
    fail(new Error("no memory"));
    expect(await first).toEqual({ kind: "failed", why: "no memory" });
    const next = replay("apparel", { hours: 1 });
    fail(new Error("again"));
    expect(await next).toEqual({ kind: "failed", why: "again" });
    expect(await replay("press", { hours: 1 })).toEqual({ kind: "no-station" });
  });

  test("that takes too long, or has no ledger, says so", async () => {
    const slow = aReplay({ run: (task) => replayElsewhere(task, 1, MODULE) });
    expect(await slow("apparel", { hours: 1 })).toMatchObject({ why: expect.stringMatching(/fewer hours/) });
    const lost = aReplay({ run: (task, ms) => run({ ...task, ledger: "/nowhere/x.ledger" }, ms) });
    expect(await lost("apparel", { hours: 1 })).toMatchObject({
      kind: "failed",
      why: expect.stringMatching(/nowhere/),
    });
  });
});

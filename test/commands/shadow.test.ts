/** `sekisho shadow` as a user runs it, without a gateway: what may be promoted, and what it writes. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sekisho } from "../support/cli.ts";
import { aPerson, signedByBoth } from "../support/keys.ts";
import { aRealLedger } from "../support/ledger.ts";
import { aCertifiedWorkshop, done, type Workshop } from "../support/workshop.ts";

const folder = mkdtempSync(join(tmpdir(), "sekisho-promote-"));
const inFolder = (name: string): string => join(folder, name);
const BY = ["--by", "hanako", "--why", "better"];

describe("sekisho shadow", () => {
  const bundles: Workshop[] = [];
  const live = () => JSON.parse(readFileSync(inFolder("press.json"), "utf8"));
  const promote = (...args: string[]) =>
    sekisho(["shadow", "promote", "press", "--config", inFolder("sekisho.yaml"), ...args]);
  const envelopeOf = (which: 0 | 1): string =>
    JSON.parse(readFileSync(join(bundles[which]!.bundle, "bundle.json"), "utf8")).envelope.sha256;
  const thresholds = (which: 0 | 1, is: object = {}) =>
    JSON.stringify({
      ...JSON.parse(readFileSync(bundles[which]!.path("first.json"), "utf8")),
      ...{ proposedBy: "hanako", approvedBy: "taro" },
      ...is,
    });
  const configure = (shadow: string, trust = ""): void =>
    writeFileSync(
      inFolder("sekisho.yaml"),
      `gateway: test
broker: { url: "mqtt://127.0.0.1:1" }
stations:
  press:
    frames: { topic: "press/{source}/frames", encodings: [raw] }
    bundle: ${bundles[0]!.bundle}
    thresholds: press.json
${shadow}
${trust}
`,
    );
  const beside = (): string => `    shadow: { bundle: ${bundles[1]!.bundle} }`;
  const withOwn = (is: object): void => {
    writeFileSync(inFolder("next.json"), thresholds(1, is));
    configure(`    shadow: { bundle: ${bundles[1]!.bundle}, thresholds: next.json }`);
  };

  beforeAll(async () => {
    for (const seed of [5, 23]) {
      const workshop = await aCertifiedWorkshop(undefined, undefined, seed);
      const station = ["--station", "press", "--thresholds", workshop.path("first.json")];
      await done("certify", workshop.bundle, "--alpha", "0.05", ...station);
      bundles.push(workshop);
    }
  });
  beforeEach(() => {
    writeFileSync(
      inFolder("press.json"),
      thresholds(0, { revision: 7, mode: "shadow", reviewDeadlineSeconds: 77 }),
    );
    configure(beside());
  });

  test("promotes by the next revision for the new envelope; mode and deadline stay", async () => {
    const { status, stdout } = await promote(...BY, "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ revision: 8, mode: "shadow" });
    expect(live()).toMatchObject({
      ...{ station: "press", revision: 8, envelope: envelopeOf(1) },
      ...{ mode: "shadow", reviewDeadlineSeconds: 77, proposedBy: "hanako", why: "better" },
    });
    expect((await promote(...BY)).stderr).toMatch(/is in force already/);
    // And back: the next revision for the old envelope.
    writeFileSync(inFolder("press.json"), thresholds(0, { revision: 9 }));
    expect((await promote(...BY)).status).toBe(0);
    expect(live().revision).toBe(10);
  });

  test("takes thresholds whose revision is the next to the letter", async () => {
    withOwn({ revision: 8, mode: "guarded", why: "as agreed" });
    expect((await promote()).status).toBe(0);
    expect(live()).toEqual(JSON.parse(thresholds(1, { revision: 8, mode: "guarded", why: "as agreed" })));
  });

  test.each<[string, () => void, string[], RegExp]>([
    ["without saying who and why", () => {}, [], /--by and --why: .* becomes revision 8/],
    ["where nothing is configured", () => configure(""), BY, /no bundle runs in shadow/],
    ["a revision that leaves one out", () => withOwn({ revision: 9 }), [], /revision: expected 8.*found 9/],
    [
      "for another envelope",
      () => withOwn({ revision: 8, envelope: "0".repeat(64) }),
      [],
      /is for envelope 0000/,
    ],
    ["for another station", () => withOwn({ revision: 8, station: "lathe" }), [], /is for station "lathe"/],
    [
      "what the certificate does not support",
      () => withOwn({ revision: 8, alpha: 1e-6 }),
      [],
      /is above alpha/,
    ],
  ])("refuses %s, and changes nothing", async (_, prepare, args, reason) => {
    prepare();
    const before = live();
    const { status, stderr } = await promote(...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(reason);
    expect(live()).toEqual(before);
  });

  test("refuses to make up a revision where signatures are demanded", async () => {
    const people = [aPerson("hanako"), aPerson("taro")] as const;
    const trusted = people.map(
      ({ publicFile, trusted: { person } }) => `{ person: ${person}, file: "${publicFile}" }`,
    );
    writeFileSync(inFolder("press.json"), signedByBoth(thresholds(0, { revision: 7 }), people));
    configure(beside(), `trust: { keys: [${trusted}], bundles: any }`);
    const { status, stderr } = await promote(...BY);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /signatures are demanded here, and a promotion cannot sign: put a signed revision 8/,
    );
  });

  test("is looked at by `sekisho check`, which it does not fail", async () => {
    const check = (...args: string[]) => sekisho(["check", "--config", inFolder("sekisho.yaml"), ...args]);
    expect(await check()).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/press: bundle \S+ runs in shadow beside it/),
    });
    configure(`    shadow: { bundle: ${inFolder("nowhere")} }`);
    expect(await check()).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/warning: press: nothing can run in shadow: .*nowhere/),
    });
    const { stations } = JSON.parse((await check("--json")).stdout);
    expect(stations[0].shadow).toMatchObject({ state: "refused" });
  });

  test("shows what was found, with frames to look up, and that nothing was where nothing was", async () => {
    const ledger = aRealLedger({ path: inFolder("sekisho.ledger") });
    const show = (...args: string[]) =>
      sekisho(["shadow", "show", "press", "--config", inFolder("sekisho.yaml"), ...args]);
    expect((await show()).stdout).toBe(
      "Station press: a bundle is configured to run in shadow beside the live one.\n",
    );
    const comparison = { station: "press", liveBundle: "b".repeat(64), liveRevision: 7 };
    const pair = (decision: "pass" | "review", frames: number) => ({
      live: { decision: "pass", className: "good" } as const,
      shadow: { decision, className: "good" },
      ...{ frames, examples: [{ decision: 1, source: "cam-1", frame: "f-77" }] },
    });
    ledger.shadow.note(
      { ...comparison, shadowBundle: "c".repeat(64), shadowRevision: 1 },
      { judged: 100, dropped: 3, lost: 2, pairs: [pair("pass", 90), pair("review", 10)] },
      Date.parse("2026-03-01T06:00:00Z"),
    );
    ledger.close();
    const { stdout } = await show();
    expect(stdout).toContain("100 frames judged by both, 10 differ, 10.00%");
    expect(stdout).toMatch(/pass good {2}review good {6}10 {2}cam-1\/f-77/);
    expect(stdout).toMatch(/did not judge 3 frames for want of time, and lost 2/);
    expect(stdout).toContain("(not what is configured now)");
    const { comparison: shown, examples } = JSON.parse((await show("--json")).stdout);
    expect(shown).toMatchObject({ judged: 100, dropped: 3, lost: 2, differing: 10 });
    expect(examples).toEqual([[{ decision: 1, source: "cam-1", frame: "f-77" }]]);
  });
});

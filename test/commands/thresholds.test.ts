/** `sekisho thresholds` as people use it: propose, approve, be refused, stop, go back, and see what was done. */

import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settleAtStart } from "../../src/commands/settle.ts";
import { proposalFileOf } from "../../src/commands/thresholds-desk.ts";
import type { Thresholds } from "../../src/thresholds/file.ts";
import { sekisho } from "../support/cli.ts";
import { aGuardedStation, type GuardedStation } from "../support/guarded-station.ts";
import { aRealLedger } from "../support/ledger.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

let station: GuardedStation;
let ledger: ReturnType<typeof aRealLedger>;

beforeAll(async () => {
  station = await aGuardedStation();
  ledger = aRealLedger({ path: station.workshop.path("test.ledger") });
  station.put(station.first);
}, 120_000);
afterAll(() => ledger.close());

/** What a gateway makes of the files at its start. */
function restart() {
  const { stations, refusals } = settleAtStart([station.read()], {
    ...{ acts: ledger.acts, clock: { nowMs: Date.now }, log: silent, monitorOf: () => "green" as const },
    refusals: { note: () => {} },
    countRefused: () => {},
  });
  expect([...refusals]).toEqual([]);
  return stations[0]!;
}

async function thresholds(act: string, ...options: string[]) {
  return sekisho(["thresholds", act, "press", "--config", station.configFile, ...options]);
}

const by = (who: "aki" | "ben" | "eve" | "akiAgain"): string[] => ["--key", station.people[who].privateFile];
const inFile = (): Thresholds => JSON.parse(readFileSync(station.file, "utf8"));

test("the first thresholds are signed by two persons, and by none that is not trusted", async () => {
  expect(await thresholds("propose", "--why", "first")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/sign with --key FILE/),
  });
  expect(await thresholds("propose", "--why", "first", ...by("eve"))).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/which trust\.keys does not name/),
  });
  const proposed = await thresholds("propose", "--why", "first", ...by("aki"));
  expect(proposed).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/revision 1 waits for a second person/),
  });
  expect(inFile().signatures).toBeUndefined();
  // The same person with another key is no second person.
  const again = await thresholds("approve", ...by("akiAgain"));
  expect(again.stdout).toMatch(/waits for a second person/);
  const second = await thresholds("approve", ...by("ben"));
  expect(second).toMatchObject({ status: 0, stdout: expect.stringMatching(/revision 1 is written/) });
  expect(existsSync(proposalFileOf(station.file))).toBe(false);
  expect(restart().thresholds).toMatchObject({
    revision: 1,
    proposedBy: "aki",
    approvedBy: "ben",
    why: "first",
  });
  expect(await thresholds("approve", ...by("ben"))).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/nothing waits/),
  });
});

test("what the certificate does not prove is refused, with n, k, the bound and the parts that would do", async () => {
  const { status, stderr, stdout } = await thresholds(
    ...(["propose", "--alpha", "0.0001", "--why", "bolder", "--json"] as const),
    ...by("aki"),
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /station: bound [\d.]+% is above alpha 0\.0100% \(\d+ unfaithful of \d+ that passed; \d+ more, all faithful, would suffice\)/,
  );
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "refused", revision: 2, station: "press" });
  expect(inFile().revision).toBe(1);
});

test("a wish off the grid is snapped to the next stricter point, and shown", async () => {
  const wish = String(station.first.lambda! * 1.0000001);
  const { stdout, status } = await thresholds("propose", "--lambda", wish, "--why", "the same", ...by("ben"));
  expect(status).toBe(0);
  expect(stdout).toContain(`lambda ${wish} is snapped to ${station.first.lambda}, the next stricter`);
  expect(restart().thresholds.revision).toBe(2);
});

test("to loosen takes two; to stop takes one; to go back is to loosen", async () => {
  expect((await thresholds("propose", "--alpha", "0.06", "--why", "more", ...by("aki"))).stdout).toMatch(
    /waits for a second person .*\nalpha 0\.06, was 0\.05/,
  );
  expect(restart().thresholds.revision).toBe(2);
  const stop = await thresholds("stop", "--why", "smoke", ...by("ben"));
  expect(stop).toMatchObject({ status: 0, stdout: expect.stringMatching(/revision 3 is written/) });
  expect(restart().rule).toMatchObject({ stopped: true, revision: 3 });
  // What waited was to follow revision 2, which is no longer in force.
  expect((await thresholds("approve", ...by("ben"))).status).toBe(1);
  const back = await thresholds("rollback", "--to", "2", "--why", "mended", ...by("ben"));
  expect(back.stdout).toMatch(/revision 4 waits for a second person/);
  const shown = JSON.parse((await thresholds("show", "--json")).stdout);
  expect(shown).toMatchObject({
    inForce: { revision: 3, lambda: null },
    pending: { revision: 4, rollbackOf: 2 },
  });
  expect((await thresholds("approve", ...by("aki"))).status).toBe(0);
  expect(restart().thresholds).toMatchObject({ revision: 4, rollbackOf: 2, lambda: station.first.lambda });
});

test("the log tells who did what and why, once the chain is walked", async () => {
  const { stdout } = await thresholds("log", "--verify");
  expect(stdout).toMatch(/^the chain is whole\n/);
  expect(stdout).toMatch(
    /revision 4 by ben and aki: mended\n.*revision 3 by ben: smoke\n.*revision 2 by ben/,
  );
  expect(JSON.parse((await thresholds("log", "--json", "--limit", "2")).stdout).acts).toHaveLength(2);
});

test("what cannot be is said so", async () => {
  for (const [options, says] of [
    [
      ["propose", "--lambda", "much", "--why", "x", ...by("aki")],
      /--lambda: expected a number, found "much"/,
    ],
    [["propose", "--lambda", "0", "--why", "x", ...by("aki")], /no grid point is as strict/],
    [["propose", "--drop-class", "x", "--add-class", "y", "--why", "x", ...by("aki")], /no class y/],
    [["rollback", "--to", "77", "--why", "x", ...by("aki")], /revision 77 was never accepted here/],
  ] as const) {
    const { status, stderr } = await thresholds(options[0], ...options.slice(1));
    expect([status, stderr]).toEqual([1, expect.stringMatching(says)]);
  }
  expect((await thresholds("propose", ...by("aki"))).status).toBe(2);
});

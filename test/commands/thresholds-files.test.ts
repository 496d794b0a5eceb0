/** Files of thresholds as they may be found: signed, unsigned, changed by hand, put back. What judges is never theirs. */

import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { keepRefusals } from "../../src/commands/refusals.ts";
import { bodyOf } from "../../src/commands/revisions.ts";
import { rereadSettled, type SettleOptions, settle, settleAtStart } from "../../src/commands/settle.ts";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { formatJson } from "../../src/schema/format-json.ts";
import { cosign, sign } from "../../src/signing/dsse.ts";
import type { Thresholds } from "../../src/thresholds/file.ts";
import { envelopeOf } from "../../src/thresholds/signed.ts";
import { aGuardedStation, type GuardedStation } from "../support/guarded-station.ts";
import { aRealLedger } from "../support/ledger.ts";

const MUTANTS = Number(process.env.SEKISHO_MUTANTS ?? 1_000);
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let station: GuardedStation;
let ledger: ReturnType<typeof aRealLedger>;
let settling: SettleOptions;
let refused = 0;

beforeAll(async () => {
  station = await aGuardedStation();
}, 120_000);

beforeEach(() => {
  ledger = aRealLedger();
  refused = 0;
  const { acts } = ledger;
  const clock = { nowMs: () => 5000, after: () => () => {} };
  settling = {
    ...{ acts, clock, log: silent, monitorOf: () => "green" as const },
    refusals: keepRefusals({ acts, clock, log: silent }),
    countRefused: () => void refused++,
  };
  return () => ledger.close();
});

/** Starts with what is there now. */
function start() {
  const { stations, refusals } = settleAtStart([station.read()], settling);
  return { setup: stations[0]!, refusal: refusals.get("press") };
}

function accepted(document: Thresholds): Thresholds {
  station.put(document);
  const { setup, refusal } = start();
  expect(refusal).toBeUndefined();
  expect(setup.thresholds).toEqual(document);
  return document;
}

describe("thresholds found at start", () => {
  test("come into force signed by two, and are on record with who signed", () => {
    const { aki, ben } = station.people;
    const first = accepted(station.signed(station.first, aki, ben));
    const body = bodyOf(ledger.acts.latest("press", "revision")!);
    expect(body).toMatchObject({ document: first, certified: true, persons: ["aki", "ben"], via: "file" });
    // The same file at the next start is nothing new.
    accepted(first);
    expect(ledger.acts.list({ kinds: ["revision"], limit: 9 })).toHaveLength(1);
  });

  test("that one person signed let nothing pass where none are known, and say who is missing", () => {
    station.put(station.signed(station.first, station.people.aki));
    const { setup, refusal } = start();
    expect(setup.rule).toMatchObject({ stopped: true, revision: 0 });
    expect([...setup.rule.lambda].every(Number.isNaN)).toBe(true);
    expect(refusal).toMatch(/a second person has to sign it/);
    expect(refused).toBe(1);
    expect(ledger.acts.latest("press", "refused")?.body).toMatch(/second person/);
    start();
    expect(ledger.acts.list({ kinds: ["refused"], limit: 9 })).toHaveLength(1); // Told once.
  });

  test("that tighten to where nothing is proven say so, and publish no bound", () => {
    const { aki, ben } = station.people;
    accepted(station.signed(station.first, aki, ben));
    const strictest = { ...station.first, revision: 2, lambda: station.strictest };
    station.put(station.signed(strictest, aki));
    expect(start().refusal).toMatch(/the evidence does not support these thresholds/);
    accepted(station.signed({ ...strictest, certified: false }, aki));
    const { setup } = start();
    expect(setup).toMatchObject({ certified: false, support: { station: undefined, classes: [] } });
    expect(setup.rule.lambda).toContain(station.strictest);
    expect(setup.rule.stopped).toBe(false);
  });

  test("that are not fit at all are refused with their place, where none are known", () => {
    station.put(station.first);
    expect(() => start()).toThrow(/press\.json:\d+:\d+: signatures: it bears no signature/);
  });

  test("that are older than what was accepted are noticed, and what was accepted goes on", () => {
    const { aki, ben } = station.people;
    const first = accepted(station.signed(station.first, aki, ben));
    const second = accepted(station.signed({ ...station.first, revision: 2, alpha: 0.06 }, aki, ben));
    station.put(first);
    const { setup, refusal } = start();
    expect(setup.thresholds).toEqual(second);
    expect(setup.rule.revision).toBe(2);
    expect(refusal).toMatch(/an older revision was put back by hand: found 1, revision 2 was accepted/);
    // Put back as it was, all is well again.
    accepted(second);
  });

  test("let nothing pass where what was accepted can no longer be verified", () => {
    const { aki, ben } = station.people;
    const first = accepted(station.signed(station.first, aki, ben));
    const found = station.read();
    const { setup, refused: why } = settle(
      { ...found, trust: { keys: [ben.trusted], bundles: "any" } },
      ledger.acts,
      "green",
      0,
    );
    expect(setup.rule.stopped).toBe(true);
    expect(why?.map(({ message }) => message).join()).toMatch(
      /revision 1, accepted last, cannot be verified/,
    );
    expect(first.revision).toBe(1);
  });

  test("stop with one signature, and are lifted with two, to no more than before", () => {
    const { aki, ben } = station.people;
    accepted(station.signed(station.first, aki, ben));
    const stop = accepted(station.signed({ ...station.first, revision: 2, lambda: null, alpha: 0.3 }, aki));
    expect(start().setup.rule.stopped).toBe(true);
    station.put(station.signed({ ...station.first, revision: 3, alpha: stop.alpha }, aki, ben));
    expect(start().refusal).toMatch(/no more than revision 1/);
    const rollback = { ...station.first, revision: 3, rollbackOf: 1 };
    station.put(station.signed(rollback, aki));
    expect(start().refusal).toMatch(/second person/);
    expect(start().setup.thresholds.revision).toBe(2);
    accepted(station.signed(rollback, aki, ben));
    station.put(station.signed({ ...station.first, revision: 4, rollbackOf: 2 }, aki, ben));
    expect(start().refusal).toMatch(/rollbackOf: it is not what revision 2 was/);
  });
});

describe(`${MUTANTS} thresholds files that nobody signed as they are`, () => {
  test(
    "never judge: what was accepted does, at start and when files are read again",
    () => {
      const { aki, ben } = station.people;
      const seed = Number(process.env.SEKISHO_MUTANTS_SEED ?? 11);
      process.stdout.write(`seed ${seed}\n`);
      const random = seededRandom(seed);
      const first = accepted(station.signed(station.first, aki, ben));
      const second = accepted(station.signed({ ...station.first, revision: 2, alpha: 0.06 }, aki, ben));
      const running = start().setup;
      // Loosens, and so must be signed by both.
      const third = station.signed({ ...station.first, revision: 3, alpha: 0.07 }, aki, ben);
      const acts = ledger.acts.list({ limit: 99 }).length;
      const tried = new Map<string, number>();
      let same = 0;
      for (let i = 0; i < MUTANTS; i++) {
        const [name, make] = MUTATORS[i % MUTATORS.length]!;
        const mutant = make({ first, second, third, random, station });
        const text = typeof mutant === "string" ? mutant : formatJson(mutant);
        station.put(text);
        tried.set(name, (tried.get(name) ?? 0) + 1);

        const found = station.read();
        const { setup, refused: why, admitted } = settle(found, ledger.acts, "green", 0);
        const judging = envelopeOf(setup.thresholds).payload;
        const isReread = i % 4 === 0;
        const again = isReread ? rereadSettled(running, noPlace, settling) : undefined;
        if (judging === envelopeOf(third).payload) {
          // Only where the change was none: another layout, say, or the signatures in another order.
          same++;
          expect([name, signersOf(setup.thresholds)]).toEqual([name, ["aki", "ben"]]);
          expect(name).toMatch(/bytes|cut/);
          continue;
        }
        expect([name, setup.thresholds]).toEqual([name, second]);
        expect([name, admitted]).toEqual([name, undefined]);
        if (why === undefined) expect([name, found.thresholds]).toEqual([name, second]);
        else if (isReread) expect([name, again?.ok]).toEqual([name, false]);
      }
      expect(ledger.acts.list({ limit: 99 })).toHaveLength(acts);
      process.stdout.write(
        `${[...tried].map(([name, count]) => `${name} ${count}`).join(", ")}; ${same} were no change\n`,
      );
      expect(same).toBeLessThan(MUTANTS / 20);
      // The file that all of them were made from does come into force: it was not for want of anything else.
      accepted(third);
    },
    60_000 + 100 * MUTANTS,
  );
});

interface Making {
  readonly first: Thresholds;
  readonly second: Thresholds;
  readonly third: Thresholds;
  readonly random: Random;
  readonly station: GuardedStation;
}

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random.next() * from.length)]!;

const MUTATORS: readonly (readonly [string, (making: Making) => Thresholds | string])[] = [
  ["no signature", ({ third: { signatures: _, ...rest } }) => rest],
  [
    "one signature of two",
    ({ third, random }) => {
      const kept = pick(random, third.signatures!);
      const approvedBy = pick(random, ["aki", "ben"]);
      return { ...third, approvedBy, signatures: [kept] };
    },
  ],
  [
    "an untrusted key",
    ({ third, station: { signed, people } }) =>
      signed({ ...third, signatures: undefined! }, people.aki, people.eve),
  ],
  [
    "the same person twice",
    ({ third, station: { signed, people } }) => {
      const { signatures: _, ...rest } = third;
      return signed(rest, people.aki, people.akiAgain);
    },
  ],
  ["an older revision", ({ first }) => first],
  [
    "a revision skipped",
    ({ third, random, station: { signed, people } }) => {
      const { signatures: _, ...rest } = third;
      return signed({ ...rest, revision: 4 + Math.floor(random.next() * 9) }, people.aki, people.ben);
    },
  ],
  [
    "a revision replayed with other content",
    ({ third, random, station: { signed, people } }) => {
      const { signatures: _, ...rest } = third;
      return signed({ ...rest, revision: pick(random, [1, 2]), why: "again" }, people.aki, people.ben);
    },
  ],
  ["an edited member", ({ third, random }) => ({ ...third, ...edit(third, random) })],
  ["the one in force, edited", ({ second, random }) => ({ ...second, ...edit(second, random) })],
  [
    "another station's",
    ({ third, station: { signed, people } }) => {
      const { signatures: _, ...rest } = third;
      return signed({ ...rest, station: "paint" }, people.aki, people.ben);
    },
  ],
  [
    "another envelope's",
    ({ third, random, station: { signed, people } }) => {
      const { signatures: _, ...rest } = third;
      const envelope = Array.from({ length: 64 }, () => Math.floor(random.next() * 16).toString(16)).join("");
      return signed({ ...rest, envelope }, people.aki, people.ben);
    },
  ],
  ["another's signatures", ({ second, third }) => ({ ...third, signatures: second.signatures! })],
  [
    "signatures over another kind of bytes",
    ({ third, station: { people } }) => {
      const payload = Buffer.from(envelopeOf(third).payload, "base64");
      const type = "application/vnd.sekisho.bundle+json";
      const { signatures } = cosign(sign(type, payload, people.aki.signing), people.ben.signing);
      return { ...third, signatures };
    },
  ],
  [
    "a key's id on another's signature",
    ({ third }) => {
      const [a, b] = third.signatures!;
      return {
        ...third,
        signatures: [
          { ...a!, keyid: b!.keyid },
          { ...b!, keyid: a!.keyid },
        ],
      };
    },
  ],
  ["cut short", ({ third, random }) => cutShort(formatJson(third), random)],
  ["bytes changed", ({ third, random }) => bytesChanged(formatJson(third), random)],
  [
    "looser than is proven, by two",
    ({ third, station: { signed, people } }) => {
      const { signatures: _, ...rest } = third;
      return signed({ ...rest, alpha: 1e-6 }, people.aki, people.ben);
    },
  ],
];

/** One member of a document, changed into something that the schema would take. */
function edit(document: Thresholds, random: Random): Partial<Thresholds> {
  return pick<Partial<Thresholds>>(random, [
    { alpha: document.alpha + 0.01 * (1 + random.next()) },
    { alphaClass: 0.5 },
    { eta: 0.2 },
    { lambda: random.next() },
    { lambda: null },
    { classes: document.classes.slice(1) },
    { mode: "shadow" },
    { auditRate: random.next() },
    { reviewDeadlineSeconds: 1 + Math.floor(random.next() * 800) },
    { proposedBy: "ben" },
    { approvedBy: pick(random, ["aki", "eve", "carl"]) },
    { why: `${document.why}.` },
    { at: "2027-01-01T00:00:00Z" },
    { certified: pick(random, [true, false]) },
    { rollbackOf: 1 },
  ]);
}

function cutShort(text: string, random: Random): string {
  return text.slice(0, Math.floor(random.next() * (text.trimEnd().length - 1)));
}

function bytesChanged(text: string, random: Random): string {
  const bytes = Buffer.from(text);
  for (let i = 0; i <= random.next() * 3; i++) {
    bytes[Math.floor(random.next() * bytes.length)]! = 32 + Math.floor(random.next() * 95);
  }
  return bytes.toString();
}

function signersOf({ proposedBy, approvedBy }: Thresholds): string[] {
  return [proposedBy, approvedBy].sort();
}

function noPlace(path: readonly (string | number)[], message: string) {
  return { file: station.file, line: 1, column: 1, message, path };
}

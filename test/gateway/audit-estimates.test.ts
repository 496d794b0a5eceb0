/** Each station's estimates: fed in order, begun anew with new thresholds, rebuilt at a start, and told to the monitor. */

import { describe, expect, test } from "vitest";
import { type AuditedStation, keepEstimates } from "../../src/gateway/audit-estimates.ts";
import { aFrame, aJudged } from "../support/builders.ts";
import { aClock, aLedger } from "../support/world.ts";

const PRESS: AuditedStation = { name: "press", revision: 1, alpha: 0.01, windowParts: 1 };

function aWorld(asksTeacher = true) {
  const clock = aClock();
  const ledger = aLedger([]);
  const told: string[] = [];
  const counted: string[] = [];
  let stations: readonly AuditedStation[] = [PRESS];
  let isBroken = false;
  const anEstimate = () =>
    keepEstimates({
      book: {
        settledAfter(...given) {
          if (isBroken) throw new Error("the ledger cannot be read");
          return ledger.audits.settledAfter(...given);
        },
        standing: (station) => ledger.audits.standing(station),
      },
      stations: () => stations,
      asksTeacher,
      backlogMax: 3,
      listener: {
        observeRisk: (station, evidence, { en }) =>
          told.push(`${station} ${evidence >= 1 ? "up" : "down"} ${en}`),
        fail: (station, cause) => told.push(`${station} ${cause}`),
      },
      metrics: {
        settled: (station, question, finding) => void counted.push(`${station} ${question} ${finding}`),
      },
      clock,
      log: { debug() {}, info() {}, warn() {}, error: (_, text) => void told.push(text) },
    });
  let ids = 0;
  return {
    ...{ clock, told, counted, anEstimate, audits: ledger.audits },
    /** So many parts pass, of which the last is drawn. */
    pass(count: number, revision = 1): string {
      for (let n = 1; n < count; n++) ledger.append([aJudged({ id: String(ids++), pi: 0.1, revision })]);
      const id = String(ids++);
      ledger.append([
        {
          ...aJudged({ id, pi: 0.1, review: `a-${id}`, revision }),
          frame: { ...aFrame({ id }), payload: Uint8Array.of(1) },
        },
      ]);
      return `a-${id}`;
    },
    answer: (id: string, isBad: boolean, question: "teacher" | "person" = "teacher") =>
      ledger.audits.answer(id, question, isBad, 2000, ""),
    becomes: (next: readonly AuditedStation[]) => {
      stations = next;
    },
    break: (is: boolean) => {
      isBroken = is;
    },
  };
}

describe("the estimates of a station", () => {
  test("take audits in the order of drawing: one that waits holds up what comes after it", async () => {
    const world = aWorld();
    const estimates = world.anEstimate();
    estimates.start();
    const [first, second] = [world.pass(10), world.pass(10)];
    world.answer(second, true);
    await world.clock.pass(1000);
    const teacher = () => estimates.all()[0]!.questions.find(({ question }) => question === "teacher")!;
    expect(teacher()).toMatchObject({ parts: 9, drawn: 0, waiting: 1, upperBound: 1 });
    world.answer(first, false);
    await world.clock.pass(1000);
    expect(teacher()).toMatchObject({ parts: 20, drawn: 2, findings: { good: 1, bad: 1, unanswered: 0 } });
    expect(teacher().estimate!.risk).toBeCloseTo(10 / 20, 12);
    expect(world.counted).toEqual(["press teacher good", "press teacher bad"]);
    expect(world.told.at(-1)).toMatch(
      /^press up Of 2 audited parts, 1 were unfaithful and 0 stayed unanswered/,
    );
    // The person's question is another one.
    const [, person] = estimates.all()[0]!.questions;
    expect(person).toMatchObject({ question: "person", parts: 9, evidence: undefined });
    estimates.close();
  });

  test("are the same after a restart, and count nothing twice", async () => {
    const world = aWorld();
    const before = world.anEstimate();
    before.start();
    for (let n = 0; n < 30; n++) world.answer(world.pass(7), n % 10 === 0);
    await world.clock.pass(1000);
    before.close();
    const counted = world.counted.length;
    expect(counted).toBe(30);
    const after = world.anEstimate();
    after.start();
    await world.clock.pass(1000);
    expect(after.all()).toEqual(before.all());
    expect(world.counted).toHaveLength(counted);
    after.close();
  });

  test("begin anew with new thresholds, and end where nothing is drawn any more", async () => {
    const world = aWorld();
    const estimates = world.anEstimate();
    estimates.start();
    world.answer(world.pass(5), true);
    await world.clock.pass(1000);
    world.becomes([{ ...PRESS, revision: 2 }]);
    world.answer(world.pass(3, 2), false);
    await world.clock.pass(1000);
    expect(estimates.all()[0]).toMatchObject({
      revision: 2,
      questions: [{ parts: 3, drawn: 1 }, { drawn: 0 }],
    });
    world.becomes([]);
    await world.clock.pass(1000);
    expect(estimates.all()).toEqual([]);
    estimates.close();
  });

  test("say nothing of a question that nobody is asked", async () => {
    const world = aWorld(false);
    const estimates = world.anEstimate();
    estimates.start();
    world.pass(5);
    world.audits.expire(1e12);
    await world.clock.pass(1000);
    expect(estimates.all()[0]!.questions.map(({ question }) => question)).toEqual(["person"]);
    expect(world.told).toEqual([]);
    estimates.close();
  });

  test("tell the monitor of audits that pass their deadline in turn, once above the bound", async () => {
    const world = aWorld();
    const estimates = world.anEstimate();
    estimates.start();
    for (let n = 0; n < 3; n++) world.pass(2);
    world.audits.expire(1e12);
    await world.clock.pass(1000);
    expect(world.told.filter((one) => one.includes("backlog"))).toEqual([]);
    for (let n = 0; n < 5; n++) world.pass(2);
    world.audits.expire(1e12);
    await world.clock.pass(1000);
    // Once of each question.
    expect(world.told.filter((one) => one === "press audit-backlog")).toHaveLength(2);
    estimates.close();
  });

  test("survive a ledger that cannot be read, say so once, and go on where they were", async () => {
    const world = aWorld();
    const estimates = world.anEstimate();
    estimates.start();
    world.break(true);
    await world.clock.pass(3000);
    world.answer(world.pass(4), false);
    world.break(false);
    await world.clock.pass(1000);
    expect(world.told[0]).toBe("audits cannot be estimated; tried again");
    expect(world.told.filter((one) => one.includes("cannot be estimated"))).toHaveLength(1);
    expect(estimates.all()[0]!.questions[0]).toMatchObject({ parts: 4, drawn: 1 });
    estimates.close();
  });
});

/** The drift test: false alarms, delays at every age, and what no input may do to them. */

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { normal, type Random, seededRandom } from "../../src/core/random.ts";
import {
  type ExceedanceOptions,
  type ExceedanceTest,
  fixExceedanceTest as fixOnLadders,
  ladderOf,
  nextExceedanceTest,
  startExceedanceTest,
} from "../../src/core/statistics/exceedance.ts";
import { evidenceOf, noRestarts, type Restarts } from "../../src/core/statistics/restarts.ts";

const OPTIONS = { etaRef: 0.01, etaMon: 0.04 };
/** As many as the apparel bundle has. */
const REF_PARTS = 2200;

/** The test as it is fixed on scores. */
function fixExceedanceTest(refs: readonly ArrayLike<number>[], options: ExceedanceOptions): ExceedanceTest {
  return fixOnLadders([refs.map((ref, s) => ladderOf(ref, `reference ${s}`))], options);
}

type Stream = (random: Random) => number;

const gaussian: Stream = normal;
const shifted: Stream = (random) => 0.5 + normal(random);
/** As a model of steps gives them, with one score in a hundred lost. */
const tied: Stream = (random) => (random.next() < 0.01 ? Number.NaN : Math.round(2 * normal(random)) / 2);

function drawRef(stream: Stream, random: Random): Float64Array {
  return Float64Array.from({ length: REF_PARTS }, () => stream(random));
}

/** A reference of one stream whose thresholds lie between whole numbers. */
function plainTest(): ExceedanceTest {
  return fixExceedanceTest([Float64Array.from({ length: REF_PARTS }, (_, i) => i)], OPTIONS);
}

/** Parts until the alarm; Infinity if there is none among `partsMax`. */
function partsToAlarm(
  drift: ExceedanceTest,
  from: Restarts,
  part: () => ArrayLike<number>,
  partsMax: number,
): number {
  let state = from;
  for (let parts = 1; parts <= partsMax; parts++) {
    state = nextExceedanceTest(drift, state, part());
    if (!(evidenceOf(state) < drift.alarmAt)) return parts;
  }
  return Number.POSITIVE_INFINITY;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

describe("false alarms of the drift test, in 1,000 runs", () => {
  const RUNS = 1000;
  const PARTS = 10_000;

  test("stay within eta_ref + eta_mon over 10,000 clean parts, with ties and lost scores too", async ({
    annotate,
  }) => {
    const random = seededRandom(1);
    let alarms = 0;
    for (let run = 0; run < RUNS; run++) {
      const drift = fixExceedanceTest([drawRef(gaussian, random), drawRef(tied, random)], OPTIONS);
      const part = (): number[] => [gaussian(random), tied(random)];
      if (partsToAlarm(drift, startExceedanceTest(drift), part, PARTS) <= PARTS) alarms++;
    }
    await annotate(`${alarms} alarms in ${RUNS} runs`);
    expect(alarms / RUNS).toBeLessThanOrEqual(OPTIONS.etaRef + OPTIONS.etaMon);
  });

  test("come in about eta_mon of runs if every rate is at its bound: the test is not merely deaf", async ({
    annotate,
  }) => {
    const random = seededRandom(2);
    const drift = plainTest();
    const { thresholds, bounds } = drift.streams[0]!;
    const part = (): number[] => {
      const uniform = random.next();
      let exceeded = 0;
      while (exceeded < bounds.length && uniform < bounds[exceeded]!) exceeded++;
      return [exceeded === 0 ? -1 : thresholds[exceeded - 1]! + 0.5];
    };
    let alarms = 0;
    for (let run = 0; run < RUNS; run++) {
      if (partsToAlarm(drift, startExceedanceTest(drift), part, PARTS) <= PARTS) alarms++;
    }
    await annotate(`${alarms} alarms in ${RUNS} runs`);
    const deviation = Math.sqrt((OPTIONS.etaMon * (1 - OPTIONS.etaMon)) / RUNS);
    expect(alarms / RUNS).toBeLessThanOrEqual(OPTIONS.etaMon + 3 * deviation);
    expect(alarms / RUNS).toBeGreaterThan(OPTIONS.etaMon / 3);
  });
});

describe("a shift of half a standard deviation, in one of two streams", () => {
  const AGES = [0, 1000, 20_000, 100_000];
  // One run's delay varies by about 80 parts, so a median of 100 by about 10, and 300 is 70 away.
  const RUNS = 100;
  const delays = new Map(AGES.map((age) => [age, [] as number[]]));
  const capitals = new Set<number>();
  let falseAlarms = 0;

  beforeAll(() => {
    const random = seededRandom(3);
    for (let run = 0; run < RUNS; run++) {
      const drift = fixExceedanceTest([drawRef(gaussian, random), drawRef(gaussian, random)], OPTIONS);
      let state = startExceedanceTest(drift);
      for (const age of AGES) {
        while (state.steps < age) {
          state = nextExceedanceTest(drift, state, [gaussian(random), gaussian(random)]);
          if (!(evidenceOf(state) < drift.alarmAt)) falseAlarms++;
        }
        capitals.add(state.capital.length);
        const part = (): number[] => [shifted(random), gaussian(random)];
        delays.get(age)!.push(partsToAlarm(drift, state, part, 5000));
      }
    }
  });

  test.for(AGES)("is noticed within a median of 300 parts after %i clean ones", async (age, { annotate }) => {
    const parts = median(delays.get(age)!);
    await annotate(`median ${parts} parts after ${age} clean ones`);
    expect(parts).toBeLessThanOrEqual(300);
  });

  test("costs the same at every age, as all restarts are one number a stream and bet", () => {
    expect([...capitals]).toEqual([10]);
  });

  test("is not what the clean parts before it looked like", () => {
    expect(falseAlarms).toBe(0);
  });
});

describe("two scores with 32 coordinates beside them", () => {
  const AGES = [0, 1000, 10_000];
  const RUNS = 40;
  const STREAMS = 34;

  function drawn(random: Random): ExceedanceTest {
    const refs = Array.from({ length: STREAMS }, (_, s) => ladderOf(drawRef(gaussian, random), `${s}`));
    return fixOnLadders([refs.slice(0, 2), refs.slice(2)], OPTIONS);
  }

  test.for([
    ["a score", 0],
    ["a coordinate", 2],
  ] as const)(
    "a shift of half a standard deviation in %s is noticed within a median of 400 parts",
    async ([what, stream], { annotate }) => {
      const random = seededRandom(4);
      const delays = new Map(AGES.map((age) => [age, [] as number[]]));
      for (let run = 0; run < RUNS; run++) {
        const drift = drawn(random);
        let state = startExceedanceTest(drift);
        const part = (shift: number) => (): Float64Array => {
          const scores = Float64Array.from({ length: STREAMS }, () => normal(random));
          scores[stream]! += shift;
          return scores;
        };
        const clean = part(0);
        for (const age of AGES) {
          while (state.steps < age) state = nextExceedanceTest(drift, state, clean());
          delays.get(age)!.push(partsToAlarm(drift, state, part(0.5), 5000));
        }
      }
      const medians = AGES.map((age) => median(delays.get(age)!));
      await annotate(`${what}: medians ${medians.join(", ")} parts after ${AGES.join(", ")} clean ones`);
      expect(Math.max(...medians)).toBeLessThanOrEqual(400);
    },
  );

  test("false alarms stay within eta_ref + eta_mon over 5,000 clean parts, in 100 runs", async ({
    annotate,
  }) => {
    const random = seededRandom(6);
    let alarms = 0;
    for (let run = 0; run < 100; run++) {
      const drift = drawn(random);
      const part = (): Float64Array => Float64Array.from({ length: STREAMS }, () => normal(random));
      if (partsToAlarm(drift, startExceedanceTest(drift), part, 5000) <= 5000) alarms++;
    }
    await annotate(`${alarms} alarms in 100 runs`);
    expect(alarms / 100).toBeLessThanOrEqual(OPTIONS.etaRef + OPTIONS.etaMon);
  });
});

describe("the bets of the drift test", () => {
  const refs = fc.array(
    fc.oneof(fc.double({ noDefaultInfinity: true }), fc.integer({ min: 0, max: 5 }), fc.constant(Number.NaN)),
    { minLength: 100, maxLength: 400 },
  );

  test("have mean 1 where every rate is at its bound, rise with the score, and lose at most half", () => {
    fc.assert(
      fc.property(refs, (ref) => {
        fc.pre(ref.filter(Number.isFinite).length > 0.4 * ref.length);
        const { thresholds, bounds, factors } = fixExceedanceTest([ref], OPTIONS).streams[0]!;
        const bets = factors.length / (thresholds.length + 1);
        const mass = [1, ...bounds].map((rate, i) => rate - (bounds[i] ?? 0));
        for (let bet = 0; bet < bets; bet++) {
          const row = mass.map((_, exceeded) => factors[exceeded * bets + bet]!);
          expect(mass.reduce((sum, p, i) => sum + p * row[i]!, 0)).toBeCloseTo(1, 12);
          expect(row[0]).toBeGreaterThanOrEqual(0.5 - 1e-12);
          expect(row).toEqual([...row].sort((a, b) => a - b));
        }
      }),
    );
  });

  test("take the exceedance rate of an order statistic at the binomial bound, shared over all of them", () => {
    // BetaInv(1 - 0.01 / 12; k + 1, n - k) at k = 1100 and 22, mpmath: two streams of six thresholds.
    const ref = Float64Array.from({ length: REF_PARTS }, (_, i) => i);
    const { bounds, thresholds } = fixExceedanceTest([ref, ref], OPTIONS).streams[1]!;
    expect([thresholds[1], thresholds[5]]).toEqual([1099, 2177]);
    expect(bounds[1]).toBeCloseTo(0.5337000902810477, 12);
    expect(bounds[5]).toBeCloseTo(0.01858976505448643, 12);
  });

  test("see a score that is not finite as the largest of all", () => {
    const drift = plainTest();
    const start = startExceedanceTest(drift);
    const worst = nextExceedanceTest(drift, start, [1e300]);
    for (const lost of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(nextExceedanceTest(drift, start, [lost])).toEqual(worst);
    }
  });

  test("alarm soon where all scores are lost", () => {
    const drift = plainTest();
    expect(partsToAlarm(drift, startExceedanceTest(drift), () => [Number.NaN], 50)).toBeLessThan(10);
  });

  test("are refused on a reference that cannot tell", () => {
    const enough = new Float64Array(100);
    expect(() => fixExceedanceTest([], OPTIONS)).toThrow(/a stream/);
    expect(() => fixExceedanceTest([enough, []], OPTIONS)).toThrow(
      /reference 1: expected at least 100 parts, got 0/,
    );
    expect(() => fixExceedanceTest([enough.map(() => Number.NaN)], OPTIONS)).toThrow(/finite/);
    for (const eta of [0, 1, Number.NaN]) {
      expect(() => fixExceedanceTest([enough], { ...OPTIONS, etaRef: eta })).toThrow(RangeError);
      expect(() => fixExceedanceTest([enough], { ...OPTIONS, etaMon: eta })).toThrow(RangeError);
    }
  });

  test("are refused for parts with more or fewer scores", () => {
    const drift = plainTest();
    expect(() => nextExceedanceTest(drift, startExceedanceTest(drift), [1, 2])).toThrow(/expected 1 scores/);
    expect(() => nextExceedanceTest(drift, noRestarts(4), [1])).toThrow(/expected 4 factors, got 5/);
  });

  test("go on from their JSON as if nothing had been", () => {
    const drift = plainTest();
    let kept = startExceedanceTest(drift);
    let stored = JSON.stringify(kept);
    const random = seededRandom(5);
    for (let part = 0; part < 2000; part++) {
      const score = [REF_PARTS * random.next() ** 0.8];
      kept = nextExceedanceTest(drift, kept, score);
      stored = JSON.stringify(nextExceedanceTest(drift, JSON.parse(stored) as Restarts, score));
    }
    expect(stored).toBe(JSON.stringify(kept));
    expect(stored.length).toBeLessThan(300);
  });
});

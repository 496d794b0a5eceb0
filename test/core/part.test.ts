import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAITHFUL, type GuardedDecision, REVIEW_REASONS, type ReviewReason } from "../../src/core/judge.ts";
import {
  decidePart,
  frameKey,
  isComplete,
  type PartFrame,
  type PartRule,
  withFrame,
} from "../../src/core/part.ts";
import { aPrediction } from "../support/builders.ts";

const RULE: PartRule = {
  bundle: "b",
  revision: 3,
  stopped: false,
  monitor: "off",
  lambda: [1],
  framesPerPartMax: 4,
};

/** A frame that passes, of a class that all take it for. */
function aPartFrame(id: string, is: Partial<PartFrame> = {}): PartFrame {
  return {
    source: "cam-1",
    id,
    identified: true,
    guarded: FAITHFUL,
    prediction: aPrediction(),
    className: "good",
    bundle: "b",
    revision: 3,
    partCount: undefined,
    ...is,
  };
}

const underReview = (reason: ReviewReason): Partial<PartFrame> => ({ guarded: { kind: "review", reason } });
const REJECTED = { guarded: undefined, prediction: undefined, className: undefined };
const counted = (...counts: (number | undefined)[]): PartFrame[] =>
  counts.map((partCount, i) => aPartFrame(String(i), { partCount }));

const say = ({ kind, reason }: GuardedDecision): string => `${kind} ${reason}`;
const decided = (frames: readonly PartFrame[], rule: Partial<PartRule> = {}, isCut = false): string =>
  say(decidePart(frames, { ...RULE, ...rule }, isCut).guarded);

describe("a part", () => {
  const [a, b] = [aPartFrame("a"), aPartFrame("b")];

  test.each<[string, string, readonly PartFrame[], Partial<PartRule>?, boolean?]>([
    ["pass faithful", "whose frames all pass", [a, b]],
    ["pass faithful", "of one frame", [a]],
    ["pass faithful", "with all the frames that it has", counted(3, 3, 3)],
    ["pass faithful", "of which some frames say how many there are", counted(undefined, 2)],
    ["pass faithful", "with as many frames as the evidence had", counted(4, 4, 4, 4)],
    ["review score", "with a frame under review", [a, aPartFrame("b", underReview("score"))]],
    [
      "review outside-band",
      "with two of them: the first reason",
      [aPartFrame("a", underReview("score")), aPartFrame("b", underReview("outside-band"))],
    ],
    ["review classes-disagree", "taken for two classes", [a, aPartFrame("b", { className: "bad" })]],
    ["review classes-disagree", "without a class", [aPartFrame("a", { className: undefined })]],
    ["review frame-rejected", "with a frame that cannot be judged", [a, aPartFrame("b", REJECTED)]],
    ["review frame-rejected", "of such a frame alone", [aPartFrame("a", REJECTED)]],
    ["review frame-without-id", "with a frame without an id", [a, aPartFrame("b", { identified: false })]],
    ["review part-count-conflict", "whose frames say different counts", counted(2, 3, 3)],
    ["review part-count-conflict", "with more frames than they say", counted(2, 2, 2)],
    ["review part-count-conflict", "with a count that is none", counted(0, 2)],
    ["review part-incomplete", "with fewer frames than they say", counted(3, undefined)],
    ["review part-incomplete", "decided before its time", [a, b], {}, true],
    ["review part-incomplete", "decided before its time, though complete", counted(2, 2), {}, true],
    ["review too-many-frames", "with more frames than the evidence had", [a, b], { framesPerPartMax: 1 }],
    ["review too-many-frames", "where that is no number", [a], { framesPerPartMax: Number.NaN }],
    ["review rule-changed", "judged by an earlier revision", [a, aPartFrame("b", { revision: 2 })]],
    ["review rule-changed", "judged by another bundle", [a], { bundle: "c" }],
    ["review stopped", "at a station that has been stopped since", [a], { stopped: true }],
    ["review monitor-red", "under a red monitor", [a], { monitor: "red" }],
    [
      "review not-finite",
      "with a score that is no number",
      [a, aPartFrame("b", { prediction: aPrediction({ score: Number.NaN }) })],
    ],
  ])("is %s %s", (expected, _, frames, rule, isCut) => {
    expect(decided(frames, rule, isCut)).toBe(expected);
  });

  test("has the largest score of its frames, and shows the worst of them", () => {
    const low = aPartFrame("low", { prediction: aPrediction({ score: 0.01 }) });
    const high = aPartFrame("high", { prediction: aPrediction({ score: 0.15 }) });
    expect(decidePart([low, high, a], RULE, false)).toMatchObject({ score: 0.15, leading: high });
    const odd = aPartFrame("odd", { ...underReview("novel"), prediction: aPrediction({ score: 0.001 }) });
    expect(decidePart([low, odd, high], RULE, false)).toMatchObject({ score: 0.15, leading: odd });
    expect(decidePart([aPartFrame("x", REJECTED), low], RULE, false).leading).toBe(low);
  });

  test("without a frame is a defect", () => {
    expect(() => decidePart([], RULE, false)).toThrow(RangeError);
  });
});

test("a frame that is judged twice, as when the clock was set forward by days, counts once, at its worst", () => {
  const [good, bad] = [aPartFrame("a"), aPartFrame("a", REJECTED)];
  for (const [first, second] of [
    [good, bad],
    [bad, good],
  ] as const) {
    const frames = withFrame(withFrame(new Map(), first), second);
    expect([...frames.values()]).toEqual([bad]);
  }
});

describe("a part is complete", () => {
  test.each<[boolean, readonly PartFrame[]]>([
    [false, counted(undefined)],
    [false, counted(2)],
    [true, counted(2, 2)],
    [true, counted(undefined, 2)],
    [false, counted(2, 3)],
    [true, counted(2, 3, 3)],
    [true, counted(0)],
    [false, counted(undefined, undefined, undefined, undefined)],
    [true, counted(undefined, undefined, undefined, undefined, undefined)],
  ])("%s %#", (expected, frames) => expect(isComplete(frames, 4)).toBe(expected));

  test("where it is not known how many frames the evidence had", () => {
    expect(isComplete(counted(2), Number.NaN)).toBe(true);
  });
});

const anyNumber = fc.oneof(fc.constant(0.1), fc.constant(Number.NaN), fc.double({ min: 0, max: 1 }));
const anyFrame: fc.Arbitrary<PartFrame> = fc
  .record({
    source: fc.constantFrom("cam-1", "cam-2"),
    id: fc.constantFrom("a", "b", "c", "d", "e"),
    identified: fc.constantFrom(true, true, true, false),
    guarded: fc.constantFrom<GuardedDecision | undefined>(
      FAITHFUL,
      FAITHFUL,
      FAITHFUL,
      undefined,
      ...REVIEW_REASONS.map((reason): GuardedDecision => ({ kind: "review", reason })),
    ),
    score: anyNumber,
    className: fc.constantFrom("good", "good", "good", "bad", undefined),
    bundle: fc.constantFrom("b", "b", "b", "c"),
    revision: fc.constantFrom(3, 3, 3, 2),
    partCount: fc.constantFrom(undefined, undefined, 2, 3, 0),
  })
  .map(({ score, ...frame }) => ({
    ...frame,
    prediction: frame.guarded === undefined ? undefined : aPrediction({ score }),
  }));
const distinct = (frames: readonly PartFrame[]): PartFrame[] => [
  ...frames
    .reduce<ReadonlyMap<string, PartFrame>>((known, frame) => withFrame(known, frame), new Map())
    .values(),
];
const anyFrames = fc.array(anyFrame, { minLength: 1, maxLength: 8 });

describe("whatever its frames", () => {
  test("their order makes no difference", () => {
    fc.assert(
      fc.property(
        anyFrames
          .map(distinct)
          .chain((frames) =>
            fc.tuple(fc.constant(frames), fc.shuffledSubarray(frames, { minLength: frames.length })),
          ),
        ([frames, shuffled]) => {
          expect(decidePart(shuffled, RULE, false)).toEqual(decidePart(frames, RULE, false));
          expect(isComplete(shuffled, 4)).toBe(isComplete(frames, 4));
        },
      ),
    );
  });

  test("it passes only if every one passes, agrees, has a finite score, and none is missing", () => {
    let passes = 0;
    fc.assert(
      fc.property(anyFrames.map(distinct), (frames) => {
        const { guarded, score } = decidePart(frames, RULE, false);
        const counts = frames.flatMap(({ partCount }) => partCount ?? []);
        const isSound =
          frames.every(
            (frame) =>
              frame.identified &&
              frame.guarded?.kind === "pass" &&
              Number.isFinite(frame.prediction?.score) &&
              frame.className !== undefined &&
              frame.className === frames[0]!.className &&
              frame.bundle === "b" &&
              frame.revision === 3,
          ) &&
          counts.every((count) => count === frames.length) &&
          frames.length <= 4;
        if (guarded.kind === "pass") passes++;
        expect(guarded.kind === "pass").toBe(isSound);
        if (isSound) expect(score).toBe(Math.max(...frames.map(({ prediction }) => prediction!.score)));
      }),
      // Few of what is drawn passes: with a tenth as many, one run in fifteen saw none.
      { numRuns: 20_000 },
    );
    expect(passes).toBeGreaterThan(0);
  });

  test("one that comes again completes nothing", () => {
    fc.assert(
      fc.property(anyFrames.map(distinct), fc.nat(), (frames, i) => {
        const known = new Map(frames.map((frame) => [frameKey(frame), frame]));
        const again = frames[i % frames.length]!;
        expect(withFrame(known, { ...again, partCount: 99 })).toBe(known);
      }),
    );
  });
});

/** Frames that are known, among the audits: asked about like any other, kept out of every estimate. */

import { describe, expect, test } from "vitest";
import { reviewersOf, sensitivityOf } from "../../src/commands/reviewer-sensitivity.ts";
import { draw, policyOf } from "../../src/core/audit.ts";
import { seededRandom } from "../../src/core/random.ts";
import { binomialInterval } from "../../src/core/statistics/binomial-interval.ts";
import { openResolvedReviews } from "../../src/ledger/resolved-reviews.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aDeskWorld, type DeskWorld } from "../support/desk.ts";
import { HANAKO } from "../support/reviews.ts";

const BENT = { label: "bad", contentType: "image/png", payload: Uint8Array.of(9, 9, 9) };

/** A known frame is asked about in the name of this part, which passed as good. */
function asked(world: DeskWorld, id: string): string {
  world.frames({ id, source: id, pi: 0.1, known: BENT, priority: 0.5 });
  return `r-${id}`;
}

function answer(world: DeskWorld, review: string, verdict: object, vouched = true) {
  return world.desk.act({ kind: "resolve", review, reviewRevision: 1, ...verdict } as never, {
    ...HANAKO,
    vouched,
  });
}

describe("a known frame", () => {
  test("is asked about as an audit is: the same alert and view, but for the frame", () => {
    const world = aDeskWorld();
    const known = asked(world, "first");
    world.frames({ id: "other", source: "other", pi: 0.1, priority: 0.5 });
    const plain = (id: string) => {
      const text = JSON.stringify([
        world.desk.show(`r-${id}`),
        world.told.find(({ review }) => review === `r-${id}`),
      ]);
      return text.replaceAll(id, "ID").replace(/"base64":"[^"]+"/, "");
    };
    expect(plain("first")).toBe(plain("other"));
    expect([...world.desk.frameOf(known)!.payload]).toEqual([...BENT.payload]);
    expect(JSON.stringify(world.told)).toContain(Buffer.from(BENT.payload).toString("base64"));
  });

  test("is no audit: its part counts as one that was not drawn", () => {
    const world = aDeskWorld();
    asked(world, "1");
    expect(world.ledger.audits.list({ limit: 9 })).toEqual([]);
    expect(world.ledger.audits.settledAfter("press", 1, "person", 0, 9)).toEqual({
      parts: [{ isDrawn: false, count: 1, pi: 0.1, piMin: 0.1 }],
      cursor: 1,
    });
    answer(world, "r-1", { verdict: "label", class: "good" });
    expect(world.ledger.audits.settledAfter("press", 1, "person", 0, 9).cursor).toBe(1);
    expect(world.ledger.verifyChain()).toBeUndefined();
  });

  test("that is missed raises no alarm: the part in whose name it was asked is not wrong", () => {
    const world = aDeskWorld();
    for (const [id, name] of [
      ["1", "good"],
      ["2", "bad"],
    ] as const) {
      expect(answer(world, asked(world, id), { verdict: "label", class: name }).ok).toBe(true);
    }
    expect(world.told.map(({ type }) => type)).toEqual(["open", "close", "open", "close"]);
    // Nor is it told afterwards what the student said of another frame.
    expect(world.desk.show("r-1")).toMatchObject({
      state: "resolved",
      className: null,
      verdictClass: "good",
    });
  });

  test("is no label: it shows another frame than its review's part", () => {
    const world = aDeskWorld();
    answer(world, asked(world, "1"), { verdict: "label", class: "bad" });
    const resolved = openResolvedReviews(world.path);
    expect([resolved.list({ station: undefined, sinceMs: 0 }), resolved.stations()]).toEqual([[], []]);
    resolved.close();
  });

  test("tells how well reviewers see, by those that were answered by somebody vouched for", () => {
    const world = aDeskWorld();
    const { audits } = world.ledger;
    expect([sensitivityOf(audits, "press"), reviewersOf(audits, "press")]).toEqual([undefined, undefined]);
    for (let n = 0; n < 9; n++)
      answer(world, asked(world, `${n}`), { verdict: "label", class: n < 7 ? "bad" : "good" });
    answer(world, asked(world, "unusable"), { verdict: "unusable" });
    answer(world, asked(world, "nobody"), { verdict: "label", class: "good" }, false);
    asked(world, "waits");
    expect(reviewersOf(audits, "press")).toMatchObject({ known: 10, found: 7 });
    // Clopper and Pearson for 7 of 10.
    expect(sensitivityOf(audits, "press")!.low).toBeCloseTo(0.3475, 4);
    expect(sensitivityOf(audits, "press")!.high).toBeCloseTo(0.9333, 4);
    expect(sensitivityOf(audits, "lathe")).toBeUndefined();
    const again = world.restart();
    expect(reviewersOf(again.ledger.audits, "press")).toMatchObject({ known: 10, found: 7 });
    expect(again.ledger.verifyChain()).toBeUndefined();
  });

  test.each([
    ["a missed one made seen", "UPDATE known_reviews SET found = 1"],
    ["another label", "UPDATE known_reviews SET label = 'good'"],
    ["one taken away", "DELETE FROM known_reviews"],
    ["one added", "INSERT INTO known_reviews VALUES ('x', 'press', 'bad', 1)"],
  ])("is under the chain: %s shows", (_, sql) => {
    const world = aDeskWorld();
    answer(world, asked(world, "1"), { verdict: "label", class: "good" });
    new Database(world.path).exec(sql);
    expect(world.ledger.verifyChain()?.found).toMatch(/known frame/);
  });
});

test("known frames are drawn as often as is said for each audit, each as often as any other", () => {
  const frames = ["a", "b", "c"].map((label) => ({ ...BENT, label }));
  const policy = policyOf({ auditRate: 0.05, deadlineMs: 1, known: { perAudit: 0.4, frames } });
  const random = seededRandom(5);
  const parts = 60_000;
  const counts = { drawn: 0, a: 0, b: 0, c: 0 };
  for (let n = 0; n < parts; n++) {
    const { isDrawn, known } = draw(policy, "green", random.next());
    expect(isDrawn && known !== undefined).toBe(false);
    if (isDrawn) counts.drawn++;
    else if (known !== undefined) counts[known.label as "a"]++;
  }
  const holds = (k: number, rate: number): boolean => {
    const { low, high } = binomialInterval(k, parts, 1e-6);
    return low <= rate && rate <= high;
  };
  expect(holds(counts.drawn, 0.05)).toBe(true);
  for (const label of ["a", "b", "c"] as const) expect(holds(counts[label], 0.02 / 3)).toBe(true);
});

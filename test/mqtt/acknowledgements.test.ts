import fc from "fast-check";
import { expect, test } from "vitest";
import { createAcknowledgements } from "../../src/mqtt/acknowledgements.ts";

test("one that is done early waits for those before it", () => {
  const pending = createAcknowledgements();
  pending.open(11, 501);
  pending.open(12, 502);
  pending.open(13, 503);
  pending.close([12, 13]);
  expect(pending.release()).toEqual([]);
  pending.close([11]);
  expect(pending.release()).toEqual([501, 502, 503]);
  expect(pending.release()).toEqual([]);
  expect(pending.size).toBe(0);
});

test("one without an id takes its turn, and nothing leaves for it", () => {
  const pending = createAcknowledgements();
  pending.open(1, undefined);
  pending.open(2, 20);
  pending.close([2]);
  expect(pending.release()).toEqual([]);
  pending.close([1]);
  expect(pending.release()).toEqual([20]);
  expect(pending.size).toBe(0);
});

test("tickets that are unknown, or closed twice, change nothing", () => {
  const pending = createAcknowledgements();
  pending.open(1, 10);
  pending.close([7, -1, Number.NaN]);
  expect(pending.release()).toEqual([]);
  pending.close([1, 1]);
  expect(pending.release()).toEqual([10]);
  pending.close([1]);
  expect(pending.release()).toEqual([]);
});

test("whatever the order of closing, ids leave in the order of receipt, each once", () => {
  const order = fc.integer({ min: 0, max: 60 }).chain((n) =>
    fc.shuffledSubarray(
      Array.from({ length: n }, (_, i) => i),
      { minLength: n, maxLength: n },
    ),
  );
  fc.assert(
    fc.property(order, fc.integer({ min: 1, max: 9 }), (closing, batch) => {
      const pending = createAcknowledgements();
      for (let ticket = 0; ticket < closing.length; ticket++) pending.open(ticket, ticket + 100);
      const left: number[] = [];
      for (let i = 0; i < closing.length; i += batch) {
        pending.close(closing.slice(i, i + batch));
        left.push(...pending.release());
        const done = new Set(closing.slice(0, i + batch));
        let prefix = 0;
        while (done.has(prefix)) prefix++;
        expect(left).toHaveLength(prefix);
      }
      expect(left).toEqual(closing.map((_, i) => i + 100));
    }),
  );
});

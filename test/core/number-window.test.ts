import { expect, test } from "vitest";
import { createNumberWindow } from "../../src/core/number-window.ts";
import { seededRandom } from "../../src/core/random.ts";

test("behaves as a Map does, over any way through it", () => {
  const random = seededRandom(3);
  const window = createNumberWindow<string>();
  const map = new Map<number, string>();
  let last = 0;
  for (let step = 0; step < 40_000; step++) {
    // Fills up beyond its first room, and runs empty again.
    const isFilling = Math.floor(step / 6_000) % 2 === 0;
    if (random.next() < (isFilling ? 0.7 : 0.3)) {
      last += 1 + Math.floor(random.next() * 2);
      window.set(last, `${last}`);
      map.set(last, `${last}`);
    } else {
      const keys = [...map.keys()];
      const key = random.next() < 0.7 ? (keys[0] ?? last) : Math.floor(random.next() * (last + 3));
      expect(window.get(key)).toBe(map.get(key));
      window.delete(key);
      map.delete(key);
    }
    expect([window.size, window.first()]).toEqual([map.size, map.keys().next().value]);
    if (step % 1_000 === 0) expect(window.entries()).toEqual([...map]);
  }
  window.clear();
  expect([window.size, window.first(), window.values()]).toEqual([0, undefined, []]);
  window.set(last + 1, "after");
  expect(window.values()).toEqual(["after"]);
});

test("takes no number that is not larger than all before", () => {
  const window = createNumberWindow<string>();
  window.set(7, "a");
  window.delete(7);
  expect(() => window.set(7, "b")).toThrow("expected a number from 8 on, found 7");
});

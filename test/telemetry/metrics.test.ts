import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { registerHistogram } from "../../src/telemetry/histogram.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

const named = { name: "seconds", help: 'Time, of "this" and that.' };
const buckets = [0.001, 0.5, 2];
/** Bounds themselves too, which belong to the bucket below them. */
const seconds = fc.oneof(fc.constantFrom(...buckets), fc.double({ min: 0, max: 10, noNaN: true }));
const label = fc.oneof(fc.constantFrom("press", "line"), fc.string({ unit: "grapheme", maxLength: 5 }));

test("a histogram says to Prometheus what prom-client's own says of the same observations", async () => {
  const property = fc.asyncProperty(fc.array(fc.tuple(label, seconds)), async (observations) => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const observe = registerHistogram(ours, { ...named, labelName: "station", buckets });
    const histogram = new Histogram({ ...named, labelNames: ["station"], buckets, registers: [theirs] });
    for (const [station, value] of observations) {
      observe(station, value);
      histogram.observe({ station }, value);
    }
    expect(await ours.metrics()).toBe(await theirs.metrics());
  });
  await fc.assert(property, { numRuns: 50 });
});

test("frames that are decided alike are counted together, and none is left out at a scrape", async () => {
  const decisions = fc.tuple(
    fc.constantFrom("press", "line"),
    fc.constantFrom("pass", "review"),
    fc.constantFrom("faithful", "score"),
  );
  const property = fc.asyncProperty(fc.array(decisions), fc.nat(), async (frames, scrapeAt) => {
    const metrics = createMetrics();
    const expected = new Counter({
      name: "sekisho_frames_total",
      help: "Frames decided, by decision and its reason.",
      labelNames: ["station", "decision", "reason"],
      registers: [],
    });
    for (const [i, [station, decision, reason]] of frames.entries()) {
      metrics.frame(station, decision, reason, 0.001);
      expected.inc({ station, decision, reason });
      if (i === scrapeAt) await metrics.registry.metrics();
    }
    const registry = new Registry();
    registry.registerMetric(expected);
    expect(await metrics.registry.getSingleMetricAsString("sekisho_frames_total")).toBe(
      (await registry.metrics()).trimEnd(),
    );
  });
  await fc.assert(property, { numRuns: 30 });
});

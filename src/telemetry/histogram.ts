/**
 * A histogram by one label that costs an observation next to nothing: prom-client's own puts the labels together
 * and hashes them each time. The text that Prometheus reads is the same.
 */

import type { Registry } from "prom-client";

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labelName: string;
  /** Upper bounds, rising; a bucket without one stands behind them. */
  readonly buckets: readonly number[];
}

interface Observed {
  /** Of each bucket alone, and not of those below it. */
  readonly counts: Float64Array;
  sum: number;
}

/** @returns observes a finite number under a label */
export function registerHistogram(
  registry: Registry,
  options: HistogramOptions,
): (label: string, observed: number) => void {
  const { name, help, labelName, buckets } = options;
  const byLabel = new Map<string, Observed>();
  const metric = {
    ...{ name, help, type: "histogram", aggregator: "sum" },
    get: async () => ({
      ...{ name, help, type: "histogram", aggregator: "sum" },
      values: [...byLabel].flatMap(([label, observed]) =>
        valuesOf(options, { [labelName]: label }, observed),
      ),
    }),
  };
  // A registry asks of a metric nothing but its name and its values, whatever the types say.
  registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
  return (label, observed) => {
    let own = byLabel.get(label);
    if (own === undefined) {
      own = { counts: new Float64Array(buckets.length + 1), sum: 0 };
      byLabel.set(label, own);
    }
    let bucket = 0;
    while (bucket < buckets.length && observed > buckets[bucket]!) bucket++;
    own.counts[bucket]!++;
    own.sum += observed;
  };
}

/** What Prometheus is told: each bucket together with all below it, then sum and count. */
function valuesOf(
  { name, buckets }: HistogramOptions,
  labels: Readonly<Record<string, string>>,
  { counts, sum }: Observed,
) {
  let count = 0;
  const cumulative = Array.from(counts, (own, i) => {
    count += own;
    return { labels: { le: buckets[i] ?? "+Inf", ...labels }, value: count, metricName: `${name}_bucket` };
  });
  return [
    ...cumulative,
    { labels, value: sum, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ];
}

/** How the engines stand and what waits, out of the gateway's own metrics: the same figures that Prometheus reads. */

export interface EngineStanding {
  readonly up: number;
  readonly all: number;
  readonly backlog: number;
  readonly outbox: number;
  /** Why no frames are judged; undefined where they are. */
  readonly trouble: string | undefined;
}

export async function readEngines(signal: AbortSignal): Promise<EngineStanding> {
  const [metrics, ready] = await Promise.all([
    fetch("/metrics", { signal }).then((response) => response.text()),
    fetch("/readyz", { signal }).then(
      (response) => response.json() as Promise<{ ready: boolean; reason?: string }>,
    ),
  ]);
  const engines = valuesOf(metrics, "sekisho_engine_up");
  return {
    up: engines.filter((one) => one === 1).length,
    all: engines.length,
    backlog: sumOf(valuesOf(metrics, "sekisho_intake_backlog")),
    outbox: sumOf(valuesOf(metrics, "sekisho_outbox_pending")),
    trouble: ready.ready ? undefined : (ready.reason ?? ""),
  };
}

/** Values of all series of a metric, whatever their labels, in the text format of Prometheus. */
function valuesOf(text: string, name: string): number[] {
  return text
    .split("\n")
    .filter((row) => row.startsWith(`${name}{`) || row.startsWith(`${name} `))
    .map((row) => Number(row.slice(row.lastIndexOf(" ") + 1)));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0);
}

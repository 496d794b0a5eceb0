/** Starts a station's engine as the gateway does, has it prove its golden frames, and sees how fast it is here. */

import { frameSpecOf } from "../../bundle/manifest.ts";
import type { Config } from "../../config/schema.ts";
import { type GoldenFrame, goldenPayload } from "../../core/golden.ts";
import type { Clock, EngineFrame } from "../../gateway/ports.ts";
import { startEngines } from "../daemon-parts.ts";
import type { StationSetup } from "../station-setup.ts";
import { type Finding, fail, ok } from "./finding.ts";

const MEASURE_MS = 300;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** One engine alone, in full batches: a bound that the gateway around it does not reach. */
export async function engineFinding(setup: StationSetup, config: Config, clock: Clock): Promise<Finding> {
  const check = `engine ${setup.name}`;
  const { manifest } = setup.bundle;
  // By the name of a station in shadow it is one engine, and of the least priority: a gateway beside it goes first.
  const pool = await startEngines(setup, config, clock, SILENT, () => {}, true);
  try {
    const spec = frameSpecOf(manifest.frame);
    const golden = manifest.golden as readonly GoldenFrame[];
    const payloads = golden.map(({ frame }) => goldenPayload(spec, frame));
    if (payloads.length === 0) {
      return fail(
        check,
        "the bundle has no golden frames",
        "make the bundle again with `sekisho bundle new`",
      );
    }
    const batch = Array.from(
      { length: config.engines.batchMax },
      (_, i): EngineFrame => ({ encoding: "raw", payload: payloads[i % payloads.length]! }),
    );
    await pool.judge(batch); // The first of its size plans its memory.
    const begunAtMs = clock.monotonicMs();
    let frames = 0;
    while (clock.monotonicMs() - begunAtMs < MEASURE_MS) frames += (await pool.judge(batch)).length;
    const perSecond = Math.round((1000 * frames) / (clock.monotonicMs() - begunAtMs));
    return ok(
      check,
      `${golden.length} golden frames come out as recorded; ${perSecond} frames/s, one engine alone at the least priority, in batches of ${batch.length}`,
    );
  } finally {
    await pool.close();
  }
}

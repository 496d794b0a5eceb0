/** One station as its configuration has it, for commands that look at it beside the gateway. */

import { parseConfig } from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import { parseTopicPattern } from "../mqtt/topics.ts";
import { formatProblems } from "../schema/document.ts";
import type { Surroundings } from "./run.ts";
import { type StationSetup, setUpAgain } from "./station-setup.ts";
import { Refusal, refuse } from "./terminal.ts";
import { readTrust } from "./trust.ts";

export interface OneStation {
  readonly config: Config;
  readonly setup: StationSetup;
}

/** @throws Refusal where the station, its bundle or its thresholds are not as they must be */
export function oneStation(name: string, file: string, environment: Surroundings["environment"]): OneStation {
  const parsed = parseConfig(file, environment);
  if (!parsed.ok) return refuse(parsed.problems);
  const { value: config, locate } = parsed;
  const station = config.stations[name];
  if (station === undefined) {
    throw new Refusal(`${file}: has no station "${name}"; it has ${Object.keys(config.stations).join(", ")}`);
  }
  const pattern = parseTopicPattern(station.frames.topic);
  if ("problem" in pattern) {
    const at = ["stations", name, "frames", "topic"];
    throw new Refusal(formatProblems([locate(at, `${at.join(".")}: ${pattern.problem}`)]));
  }
  const trusted = readTrust(config, locate);
  if (!trusted.ok) return refuse(trusted.problems);
  const read = setUpAgain({ name, config: station, pattern, trust: trusted.trust }, locate);
  return read.ok ? { config, setup: read.setup } : refuse(read.problems);
}

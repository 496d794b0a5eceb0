/** Reads `sekisho.yaml`: parsed once, checked whole, every path made absolute. */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Parsed, type Problem, readDocument } from "../schema/document.ts";
import { applyOverrides } from "./overrides.ts";
import { type Config, ConfigSchema } from "./schema.ts";

/**
 * Reads and checks a configuration file. Paths in it are relative to its folder.
 * @param environment where `SEKISHO_...` variables are looked up
 */
export function readConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Parsed<Config> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const message = `cannot read the configuration: ${(error as Error).message}`;
    return { ok: false, problems: [{ file, line: 1, column: 1, message }] };
  }
  const parsed = readDocument(text, file, ConfigSchema, (value, locate) =>
    applyOverrides(value, ConfigSchema, environment, locate),
  );
  if (!parsed.ok) return parsed;
  const problems: Problem[] = [];
  if (/^[a-z]+:\/\/[^/@]*@/.test(parsed.value.broker.url)) {
    const message = "broker.url: credentials belong in usernameFile and passwordFile, not in the address";
    problems.push(parsed.locate(["broker", "url"], message));
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ...parsed, value: withAbsolutePaths(parsed.value, dirname(resolve(file))) };
}

function withAbsolutePaths(config: Config, folder: string): Config {
  const absolute = (path: string): string => resolve(folder, path);
  const broker = { ...config.broker };
  if (broker.usernameFile !== undefined) broker.usernameFile = absolute(broker.usernameFile);
  if (broker.passwordFile !== undefined) broker.passwordFile = absolute(broker.passwordFile);
  if (broker.tls !== undefined) {
    broker.tls = Object.fromEntries(Object.entries(broker.tls).map(([key, path]) => [key, absolute(path)]));
  }
  const stations = Object.entries(config.stations).map(([name, station]) => [
    name,
    { ...station, bundle: absolute(station.bundle), thresholds: absolute(station.thresholds) },
  ]);
  return {
    ...config,
    broker,
    stations: Object.fromEntries(stations),
    ledger: { ...config.ledger, path: absolute(config.ledger.path) },
  };
}

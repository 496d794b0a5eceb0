/** Reads `sekisho.yaml`: parsed once, checked whole, every path made absolute. */

import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Locate, type Parsed, type Problem, readDocument } from "../schema/document.ts";
import { brokerProblems } from "./broker.ts";
import { httpProblems } from "./http.ts";
import { applyOverrides, namingVariable } from "./overrides.ts";
import { type Config, ConfigSchema } from "./schema.ts";

/**
 * Reads and checks a configuration file. Paths in it are relative to its folder.
 * @param environment where `SEKISHO_...` variables are looked up
 */
export function readConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Parsed<Config> {
  const parsed = parseConfig(file, environment);
  if (!parsed.ok) return parsed;
  const { value: config, locate } = parsed;
  const problems = [...settingProblems(config, locate), ...fileProblems(config, locate, environment)];
  return problems.length > 0 ? refused(problems, environment) : parsed;
}

/**
 * Whether the configuration is there and wrong in itself, whatever the files that it names hold: only a person who
 * edits it can put that right, so that there is no use in trying again.
 */
export function isConfigWrong(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  try {
    readFileSync(file);
  } catch {
    return false; // It may come yet, by a mount or with what is being deployed.
  }
  const parsed = parseConfig(file, environment);
  return !parsed.ok || settingProblems(parsed.value, parsed.locate).length > 0;
}

/** What settings say against each other. */
function settingProblems(config: Config, locate: Locate): readonly Problem[] {
  return [
    ...brokerProblems(config, locate),
    ...overloadProblems(config, locate),
    ...partsProblems(config, locate),
    ...httpProblems(config.http, locate),
  ];
}

/**
 * The same without looking at the files that it names: for commands that run as another user than the gateway, or
 * before all of them are there.
 */
export function parseConfig(
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
  if (!parsed.ok) return refused(parsed.problems, environment);
  return { ...parsed, value: withAbsolutePaths(parsed.value, dirname(resolve(file))) };
}

function refused(
  problems: readonly Problem[],
  environment: Readonly<Record<string, string | undefined>>,
): Extract<Parsed<Config>, { ok: false }> {
  return { ok: false, problems: problems.map((problem) => namingVariable(problem, environment)) };
}

/** A broker stops at its receive maximum: with too small a one no frame would ever be shed, and all would wait. */
function overloadProblems({ broker, intake, stations }: Config, locate: Locate): readonly Problem[] {
  const { receiveMaximum } = broker;
  if (receiveMaximum >= 2 * intake.backlogMax.frames) return [];
  return Object.entries(stations)
    .filter(([, { overload }]) => overload === "shed-oldest")
    .map(([name]) => {
      const at = ["stations", name, "overload"];
      const message = `${at.join(".")}: shed-oldest needs a broker.receiveMaximum of at least twice intake.backlogMax.frames, found ${receiveMaximum} and ${intake.backlogMax.frames}: the broker would stop before a frame is shed; lower intake.backlogMax.frames to ${Math.floor(receiveMaximum / 2)}, or raise broker.receiveMaximum`;
      return locate(at, message);
    });
}

/** Within its window a part must know a frame that comes again, and must get all of its frames. */
function partsProblems({ ledger, stations }: Config, locate: Locate): readonly Problem[] {
  const { dedupeWindowSeconds } = ledger;
  return Object.entries(stations).flatMap(([name, { parts, frames }]) => {
    if (parts === undefined) return [];
    const problems: Problem[] = [];
    if (parts.windowSeconds > dedupeWindowSeconds) {
      const at = ["stations", name, "parts", "windowSeconds"];
      const message = `${at.join(".")}: expected at most ledger.dedupeWindowSeconds, which is ${dedupeWindowSeconds}, found ${parts.windowSeconds}: a frame that comes again would be counted twice; shorten it, or raise ledger.dedupeWindowSeconds`;
      problems.push(locate(at, message));
    }
    if (frames.topic.startsWith("$share/")) {
      const at = ["stations", name, "parts"];
      const message = `${at.join(".")}: expected a topic without $share/, found "${frames.topic}": another gateway of the group would get some of a part's frames; subscribe without $share/, or leave parts out`;
      problems.push(locate(at, message));
    }
    return problems;
  });
}

/** Files and folders that must be there before anything is started. */
function fileProblems(
  { broker, ledger, review, trust, http, stations }: Config,
  locate: Locate,
  environment: Readonly<Record<string, string | undefined>>,
): readonly Problem[] {
  const readable: readonly (readonly [readonly (string | number)[], string | undefined])[] = [
    [["broker", "usernameFile"], broker.usernameFile],
    [["broker", "passwordFile"], broker.passwordFile],
    ...Object.entries(broker.tls ?? {}).map(([key, path]) => [["broker", "tls", key], path] as const),
    ...Object.entries(http.tls ?? {}).map(([key, path]) => [["http", "tls", key], path] as const),
    ...Object.entries(review.reviewers ?? {}).map(
      ([name, { tokenFile }]) => [["review", "reviewers", name, "tokenFile"], tokenFile] as const,
    ),
    ...Object.entries(stations).map(
      ([name, { knownFrames }]) => [["stations", name, "knownFrames", "from"], knownFrames?.from] as const,
    ),
    ...(trust?.keys ?? []).map(({ file }, i) => [["trust", "keys", i, "file"], file] as const),
  ];
  const problems: Problem[] = [];
  for (const [path, name] of readable) {
    if (name === undefined || isMadeBySystemd(name, environment)) continue;
    try {
      accessSync(name, constants.R_OK);
      if (statSync(name).isDirectory()) throw new Error("it is a folder, expected a file");
    } catch (error) {
      problems.push(locate(path, `${path.join(".")}: cannot read ${name}: ${(error as Error).message}`));
    }
  }
  const folder = dirname(ledger.path);
  try {
    if (!statSync(folder).isDirectory()) throw new Error("it is a file, expected a folder");
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const message = `ledger.path: the folder ${folder} cannot be written: ${(error as Error).message}; make it, or set another`;
    problems.push(locate(["ledger", "path"], message));
  }
  return problems;
}

/** A credential that systemd hands to a service: only there while the service runs, and only for it. */
export function isMadeBySystemd(
  file: string,
  { CREDENTIALS_DIRECTORY }: Readonly<Record<string, string | undefined>>,
): boolean {
  return CREDENTIALS_DIRECTORY === undefined && file.startsWith("/run/credentials/");
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
    {
      ...station,
      bundle: absolute(station.bundle),
      thresholds: absolute(station.thresholds),
      ...(station.shadow !== undefined && {
        shadow: Object.fromEntries(
          Object.entries(station.shadow).map(([key, path]) => [key, absolute(path)]),
        ) as typeof station.shadow,
      }),
      ...(station.knownFrames !== undefined && {
        knownFrames: { ...station.knownFrames, from: absolute(station.knownFrames.from) },
      }),
    },
  ]);
  const review = { ...config.review };
  if (review.reviewers !== undefined) {
    review.reviewers = Object.fromEntries(
      Object.entries(review.reviewers).map(([name, { tokenFile }]) => [
        name,
        tokenFile === undefined ? {} : { tokenFile: absolute(tokenFile) },
      ]),
    );
  }
  const http = { ...config.http };
  if (http.usersFile !== undefined) http.usersFile = absolute(http.usersFile);
  if (http.tls !== undefined)
    http.tls = { certFile: absolute(http.tls.certFile), keyFile: absolute(http.tls.keyFile) };
  return {
    ...config,
    broker,
    review,
    ...(config.trust !== undefined && {
      trust: {
        ...config.trust,
        keys: config.trust.keys.map((key) => ({ ...key, file: absolute(key.file) })),
      },
    }),
    http,
    stations: Object.fromEntries(stations),
    ledger: { ...config.ledger, path: absolute(config.ledger.path) },
  };
}

/**
 * Bundles and thresholds that were spoilt, on the path by which they come into force: nothing crashes, nothing else
 * than what was certified is loaded, and what is in force stays so. SEKISHO_HOSTILE_FILES sets how many of each kind.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBundle, sha256 } from "../../src/bundle/bundle.ts";
import { readEnvelope } from "../../src/bundle/envelope-file.ts";
import { frameSpecOf } from "../../src/bundle/manifest.ts";
import { type Change, startStations } from "../../src/commands/in-force.ts";
import { studentSpec } from "../../src/commands/models.ts";
import { type StationSetup, setUpAgain, setUpStations } from "../../src/commands/station-setup.ts";
import { readConfig } from "../../src/config/config.ts";
import type { GoldenFrame } from "../../src/core/golden.ts";
import { seededRandom } from "../../src/core/random.ts";
import { proveStudent } from "../../src/engine/golden-frames.ts";
import type { InForce } from "../../src/gateway/station.ts";
import { MODELS } from "../support/apparel.ts";
import { mutated, mutatedJson } from "../support/mutate.ts";
import { aCertifiedWorkshop, done, type Workshop } from "../support/workshop.ts";
import { aClock } from "../support/world.ts";

const FILES = Number(process.env.SEKISHO_HOSTILE_FILES ?? 2_000);
const TIMEOUT_MS = 120_000 + 100 * FILES;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Another process that opens students and proves them on golden frames, as `bundle verify` and engines do. */
function aProver() {
  const source = `
    const { proveStudent } = await import(${JSON.stringify(new URL("../../dist/engine/golden-frames.js", import.meta.url).href)});
    process.on("message", ({ bytes, model, frame, preprocessing, golden }) =>
      proveStudent(bytes, model, frame, preprocessing, golden).then(
        () => process.send("proved"),
        (error) => process.send(error instanceof Error ? error.message : "no error"),
      ));
    process.send("up");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
  });
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the process ended: ${code} ${signal}`);
  });
  ended.catch(() => {}); // Told to whoever waits for an answer.
  return {
    up: once(child, "message"),
    async prove(message: object): Promise<string> {
      const answer = once(child, "message");
      child.send(message);
      const [said] = await Promise.race([answer, ended]);
      return said as string;
    },
    end: () => child.disconnect(),
  };
}

describe("a spoilt student", () => {
  test.each([
    ["apparel", join(MODELS, "apparel")],
    ["a tiny one", undefined],
  ])(
    `of ${FILES} of them, those made from %s are refused by their digest; loaded all the same, they prove themselves or are refused`,
    { timeout: TIMEOUT_MS },
    async (_, folder) => {
      const place = folder ?? (await aCertifiedWorkshop()).bundle;
      const read = readBundle(place, []);
      if (!read.ok) throw new Error("the bundle is whole");
      const { manifest, studentBytes } = read.bundle;
      const prover = aProver();
      await prover.up;
      const random = seededRandom(7);
      let proved = 0;
      for (let i = 0; i < FILES / 2; i++) {
        const bytes = mutated(studentBytes, [studentBytes], random);
        expect(sha256(bytes)).not.toBe(manifest.student.sha256);
        const answer = await prover.prove({
          ...{ bytes, model: studentSpec(manifest), frame: frameSpecOf(manifest.frame) },
          ...{ preprocessing: manifest.preprocessing, golden: manifest.golden },
        });
        if (answer === "proved") proved++;
        else expect(answer).toMatch(/expected|golden frame|student/);
      }
      process.stdout.write(`${FILES / 2} spoilt students: ${proved} reproduce the golden frames\n`);
      expect(proved).toBeLessThan(FILES / 4);
      prover.end();
    },
  );
});

describe("spoilt files of a running station", () => {
  let workshop: Workshop;
  let inForce: Awaited<ReturnType<typeof startStations>>;
  let original: StationSetup;
  let poolsOpen = 0;
  const switches: InForce[] = [];
  const files: Record<string, string> = {};

  beforeAll(async () => {
    workshop = await aCertifiedWorkshop();
    await done("bundle", "verify", workshop.bundle);
    const config = workshop.path("sekisho.yaml");
    const manifest = JSON.parse(readFileSync(join(workshop.bundle, "bundle.json"), "utf8"));
    const envelope = JSON.parse(readFileSync(join(workshop.bundle, "envelope.json"), "utf8"));
    const { alpha, alphaClass, chosen } = envelope.certificate;
    writeFileSync(
      workshop.path("press.json"),
      JSON.stringify({
        ...{ schema: "sekisho.thresholds/1", station: "press", revision: 1, mode: "guarded" },
        ...{ envelope: manifest.envelope.sha256, alpha, alphaClass, eta: 0.05, lambda: chosen.lambda },
        ...{ classes: manifest.classes, classLambdas: {}, reviewDeadlineSeconds: 900 },
        ...{ proposedBy: "a", approvedBy: "b", at: "2026-06-01T08:00:00Z", why: "a test" },
      }),
    );
    writeFileSync(
      config,
      `gateway: test
broker: { url: "mqtt://127.0.0.1:1" }
stations:
  press: { frames: { topic: "press/{source}", encodings: [raw] }, bundle: bundle, thresholds: press.json }
`,
    );
    for (const file of ["bundle/bundle.json", "bundle/envelope.json", "press.json"]) {
      files[file] = readFileSync(workshop.path(file), "utf8");
    }
    const parsed = readConfig(config, {});
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const setups = setUpStations(parsed.value, parsed.locate, undefined);
    if (!setups.ok) throw new Error(JSON.stringify(setups.problems));
    [original] = setups.stations as [StationSetup];
    inForce = await startStations({
      stations: setups.stations,
      // As an engine would: opened, proved, let go.
      async startPool({ bundle: { manifest: m, studentBytes } }) {
        const golden = m.golden as readonly GoldenFrame[];
        await proveStudent(studentBytes, studentSpec(m), frameSpecOf(m.frame), m.preprocessing, golden);
        poolsOpen++;
        return {
          processes: 1,
          engines: () => [],
          judge: async () => [],
          close: async () => void poolsOpen--,
        };
      },
      reread: (setup) => setUpAgain(setup, parsed.locate),
      onRefused: () => {},
      clock: aClock(),
      log: silent,
    });
  });
  afterAll(async () => {
    await inForce.close();
    expect(poolsOpen).toBe(0);
  });

  /** Reads the files again with one of them spoilt, and puts it back. */
  async function rereadWith(file: string, text: string | Uint8Array): Promise<Change> {
    const before = inForce.inForce("press");
    const switched = switches.length;
    writeFileSync(workshop.path(file), text);
    const [change] = await inForce.reload((_, next) => void switches.push(next));
    writeFileSync(workshop.path(file), files[file]!);
    if (change!.outcome !== "in-force") {
      expect(switches.length).toBe(switched);
      expect(inForce.inForce("press")).toEqual(before);
    }
    expect(inForce.refused("press") === undefined).toBe(change!.outcome !== "refused");
    expect(poolsOpen).toBe(1);
    return change!;
  }

  /** What of a setup decides how frames are judged. */
  const judging = ({ bundle, envelope, rule }: StationSetup): unknown => ({
    student: sha256(bundle.studentBytes),
    model: studentSpec(bundle.manifest),
    // The order of a tensor's numbers is its own, however its axes are cut.
    frame: [bundle.manifest.frame.kind, bundle.manifest.frame.type],
    preprocessing: bundle.manifest.preprocessing,
    fitted: envelope.fitted,
    rule: { ...rule, revision: 0, mode: "" },
  });

  test(`of ${FILES} bundle.json, envelope.json and thresholds, each is refused, or judges just the same`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const random = seededRandom(11);
    const outcomes = new Map<string, number>();
    const texts = Object.values(files).map((text) => Buffer.from(text));
    for (let i = 0; i < FILES; i++) {
      const file = Object.keys(files)[i % 3]!;
      // Thresholds under the next revision, so that it is the guard that has to say no.
      const sound = file === "press.json" ? nextRevision(files[file]!) : files[file]!;
      const spoilt =
        random.next() < 0.3 ? mutated(Buffer.from(sound), texts, random) : mutatedJson(sound, random);
      const change = await rereadWith(file, spoilt);
      const key = `${file} ${change.outcome}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
      if (file === "bundle/envelope.json") expect(change).toMatchObject({ outcome: "refused" });
      if (change.outcome !== "in-force") continue;
      const [setup] = inForce.setups() as [StationSetup];
      if (file === "press.json") expectStricter(setup, original);
      else expect(judging(setup)).toEqual(judging(original));
      // Back to what was there, under a revision above whatever was put in force.
      const { revision } = setup.thresholds;
      files["press.json"] = nextRevision(JSON.stringify({ ...JSON.parse(files["press.json"]!), revision }));
      writeFileSync(workshop.path("press.json"), files["press.json"]);
      const [back] = await inForce.reload(() => {});
      expect(back).toEqual({ station: "press", outcome: "in-force" });
    }
    process.stdout.write(`${JSON.stringify(Object.fromEntries(outcomes))}\n`);
    expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(FILES);
    const refused = [...outcomes].filter(([key]) => key.endsWith("refused"));
    expect(refused.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(FILES / 2);
  });

  test("an envelope that is bound again as it is, spoilt, is read whole or not at all", {
    timeout: TIMEOUT_MS,
  }, () => {
    const random = seededRandom(13);
    const text = files["bundle/envelope.json"]!;
    let refused = 0;
    for (let i = 0; i < FILES / 4; i++) {
      const spoilt =
        i % 2 === 0 ? mutatedJson(text, random) : mutated(Buffer.from(text), [Buffer.from(text)], random);
      const read = readEnvelope(spoilt.toString(), "envelope.json");
      if (!read.ok) refused++;
      if (!read.ok) expect(read.problems.length).toBeGreaterThan(0);
    }
    expect(refused).toBeGreaterThan(FILES / 16);
  });
});

function nextRevision(text: string): string {
  const thresholds = JSON.parse(text);
  return JSON.stringify({ ...thresholds, revision: thresholds.revision + 1 });
}

/** Whatever was put in force, no class passes further than the certificate bears out. */
function expectStricter(found: StationSetup, original: StationSetup): void {
  expect(found.bundle.digest).toBe(original.bundle.digest);
  expect(found.support.station?.upperBound ?? 0).toBeLessThanOrEqual(found.thresholds.alpha);
  for (const { cell } of found.support.classes) {
    expect(cell.upperBound).toBeLessThanOrEqual(found.thresholds.alphaClass);
  }
  for (const [c, lambda] of found.rule.lambda.entries()) {
    expect(Number.isNaN(lambda) || lambda <= (found.thresholds.lambda ?? -1)).toBe(true);
    expect(Number.isNaN(lambda) || found.thresholds.classes.includes(found.envelope.fitted.classes[c]!)).toBe(
      true,
    );
  }
}

/** What is wrong with configuration, bundle or thresholds is said before anything is connected. */

import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MODELS, THRESHOLDS } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { bindAgain } from "../support/spoiled-bundle.ts";

interface Plant {
  readonly config: string;
  readonly bundle: string;
  readonly thresholds: string;
  /** Changes a file's text. */
  edit(file: string, change: (text: string) => string): void;
}

/** A copy of the apparel station that may be spoiled. Nothing listens on the broker's port. */
function aPlant(): Plant {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-plant-"));
  const bundle = join(folder, "apparel");
  for (const file of ["bundle.json", "envelope.json", "student.onnx", "teacher.onnx", "evidence.sqlite"]) {
    cpSync(join(MODELS, "apparel", file), join(bundle, file));
  }
  const thresholds = join(folder, "apparel.json");
  cpSync(join(THRESHOLDS, "apparel.json"), thresholds);
  const config = join(folder, "sekisho.yaml");
  writeFileSync(
    config,
    `gateway: test
broker:
  url: mqtt://127.0.0.1:9
stations:
  apparel:
    frames:
      topic: apparel/{source}/frames
      encodings: [raw]
    bundle: apparel
    thresholds: apparel.json
`,
  );
  return {
    config,
    bundle,
    thresholds,
    edit: (file, change) => writeFileSync(file, change(readFileSync(file, "utf8"))),
  };
}

/** @param exitStatus 2 where the configuration is wrong in itself */
async function refusalOf(plant: Plant, exitStatus = 1): Promise<string[]> {
  const { status, stdout, stderr } = await sekisho(["run", "--config", plant.config]);
  expect(status).toBe(exitStatus);
  expect(stdout).toBe("");
  return stderr.trim().split("\n");
}

describe("`run` refuses", () => {
  test("nothing of a plant that is whole: `check` says what it would promise", async () => {
    const { status, stdout, stderr } = await sekisho(["check", "--config", aPlant().config]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /apparel: apparel .*guarded, revision 1; at most 0\.98% of what passes is unfaithful/,
    );
    expect(status).toBe(0);
  });

  test("a configuration, with every problem on a line of its own", async () => {
    const plant = aPlant();
    plant.edit(plant.config, (text) =>
      text.replace("encodings: [raw]", "encodings: [gif]").replace("bundle:", "budle:"),
    );
    const lines = await refusalOf(plant, 2);
    expect(lines).toContainEqual(expect.stringMatching(/sekisho\.yaml:8:19: .*expected one of "raw"/));
    expect(lines).toContainEqual(
      expect.stringMatching(/sekisho\.yaml:9:5: unknown key "budle".*did you mean "bundle"/),
    );
  });

  test("parts where other gateways would get some of their frames, and so does `check`", async () => {
    const plant = aPlant();
    plant.edit(plant.config, (text) =>
      text.replace("topic: ", "topic: $share/line/").replace("    bundle:", "    parts: {}\n    bundle:"),
    );
    const [line] = await refusalOf(plant, 2);
    expect(line).toMatch(/sekisho\.yaml:9:12: stations\.apparel\.parts: expected a topic without \$share\//);
    const { status, stderr } = await sekisho(["check", "--config", plant.config]);
    expect([status, stderr.trim()]).toEqual([1, line]);
  });

  test("a topic that no broker would take", async () => {
    const plant = aPlant();
    plant.edit(plant.config, (text) => text.replace("{source}/frames", "a{source}/frames"));
    expect(await refusalOf(plant)).toEqual([
      expect.stringMatching(/sekisho\.yaml:7:14: stations\.apparel\.frames\.topic: /),
    ]);
  });

  test("a topic whose sources could not be told apart", async () => {
    const plant = aPlant();
    plant.edit(plant.config, (text) => text.replace("{source}", "+"));
    expect(await refusalOf(plant)).toEqual([
      expect.stringMatching(/yaml:7:14: .*has a wildcard but no \{source\}/),
    ]);
  });

  test("a student that is not the bundle's own", async () => {
    const plant = aPlant();
    writeFileSync(join(plant.bundle, "student.onnx"), "another student");
    const lines = await refusalOf(plant);
    expect(lines[0]).toMatch(
      /bundle\.json:\d+:\d+: student: student\.onnx is not the file this bundle was made with/,
    );
  });

  test("an envelope that was edited", async () => {
    const plant = aPlant();
    plant.edit(join(plant.bundle, "envelope.json"), (text) => text.replace('"alpha": 0.01', '"alpha": 0.02'));
    expect((await refusalOf(plant))[0]).toMatch(
      /bundle\.json:\d+:\d+: envelope: envelope\.json is not the file/,
    );
  });

  test("an envelope that was certified with another ONNX Runtime, as `check` and `bundle verify` do", async () => {
    const plant = aPlant();
    plant.edit(join(plant.bundle, "envelope.json"), (text) =>
      text.replace(/"onnxruntime": "[^"]+"/, '"onnxruntime": "1.2.3"'),
    );
    const digest = bindAgain(plant.bundle, "envelope");
    plant.edit(plant.thresholds, (text) =>
      text.replace(/"envelope": "[0-9a-f]{64}"/, `"envelope": "${digest}"`),
    );
    const reason =
      /apparel: envelope: was certified with ONNX Runtime 1\.2\.3, this program runs \d+\.\d+\.\d+; record and certify again with this one/;
    expect(await refusalOf(plant)).toEqual([expect.stringMatching(/sekisho\.yaml:9:13: /)]);
    for (const args of [
      ["check", "--config", plant.config],
      ["bundle", "verify", plant.bundle],
    ]) {
      const { status, stderr } = await sekisho(args);
      expect([status, stderr]).toEqual([1, expect.stringMatching(reason)]);
    }
  });

  test("a bundle that is no bundle, or has a member too many", async () => {
    const plant = aPlant();
    plant.edit(join(plant.bundle, "bundle.json"), (text) => text.replace('"classes"', '"clases"'));
    const lines = await refusalOf(plant);
    expect(lines).toContainEqual(
      expect.stringMatching(/bundle\.json:\d+:\d+: unknown key "clases".*"classes"/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/"classes" is missing/));
    plant.edit(join(plant.bundle, "bundle.json"), () => "{");
    expect((await refusalOf(plant))[0]).toMatch(/bundle\.json:\d+:\d+: /);
  });

  test("thresholds looser than the evidence supports, with the numbers that say why", async () => {
    const plant = aPlant();
    plant.edit(plant.thresholds, (text) => text.replace(/"alpha": 0\.01/, '"alpha": 0.0001'));
    expect((await refusalOf(plant)).join("\n")).toMatch(
      /apparel\.json:\d+:\d+: the evidence does not support these thresholds: station: bound .* is above alpha 0\.0100% \(\d+ unfaithful of \d+ that passed; \d+ more, all faithful, would suffice\)/,
    );
  });

  test("a lambda that is not on the grid, naming the next stricter one", async () => {
    const plant = aPlant();
    plant.edit(plant.thresholds, (text) => text.replace(/"lambda": [0-9.e-]+/, '"lambda": 0.9'));
    expect((await refusalOf(plant))[0]).toMatch(/lambda 0\.9 is not on the grid; the next stricter is 0\./);
  });

  test("thresholds for another envelope, another station, or an unknown class", async () => {
    const other = aPlant();
    other.edit(other.thresholds, (text) =>
      text.replace(/"envelope": "[0-9a-f]{64}"/, `"envelope": "${"0".repeat(64)}"`),
    );
    expect((await refusalOf(other))[0]).toMatch(
      /apparel\.json:\d+:\d+: envelope: these thresholds are for envelope 0+/,
    );
    const station = aPlant();
    station.edit(station.thresholds, (text) => text.replace('"station": "apparel"', '"station": "press"'));
    expect((await refusalOf(station))[0]).toMatch(/these thresholds are for "press", not for "apparel"/);
    const unknown = aPlant();
    unknown.edit(unknown.thresholds, (text) => text.replace('"trouser"', '"trowser"'));
    expect((await refusalOf(unknown))[0]).toMatch(/the bundle has no class "trowser"/);
  });

  test("two stations that take the same frames", async () => {
    const plant = aPlant();
    plant.edit(plant.config, (text) => `${text}  second:\n${text.slice(text.indexOf("    frames:"))}`);
    const lines = await refusalOf(plant);
    expect(lines).toContainEqual(
      expect.stringMatching(/yaml:13:14: .*takes frames that station apparel takes too/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/for "apparel", not for "second"/));
  });
});

describe("the command line", () => {
  test("wrong usage is exit status 2", async () => {
    expect((await sekisho(["rnu"])).status).toBe(2);
    expect((await sekisho(["bundle", "new"])).status).toBe(2);
  });

  test("help and version are exit status 0", async () => {
    expect((await sekisho(["--help"])).status).toBe(0);
    expect((await sekisho(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

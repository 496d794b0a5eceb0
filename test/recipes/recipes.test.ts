/** The distillation recipes: their own tests, and small runs whose bundles the gateway takes. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { MAIN, sekisho } from "../support/cli.ts";
import { describeWithPython, PYTHON } from "../support/describe-with.ts";
import { npy, npz } from "../support/npz.ts";

const RECIPES = fileURLToPath(new URL("../../models/recipes", import.meta.url));
const APPAREL = fileURLToPath(new URL("../../models/apparel", import.meta.url));
const SEKISHO = `'${process.execPath}' '${MAIN}'`;

/** Runs Python in the recipes' folder; resolves with what it printed, rejects with all of it. */
function python(...args: readonly string[]): Promise<string> {
  const child = spawn(PYTHON, ["-W", "ignore", ...args], { cwd: RECIPES, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) =>
      status === 0 ? resolve(printed) : reject(new Error(`python ended with ${status}:\n${printed}`)),
    );
  });
}

const recipes = (...args: readonly string[]): Promise<string> => python("-m", "sekisho_recipes", ...args);

const aFolder = (): string => mkdtempSync(join(tmpdir(), "sekisho-recipes-"));

/** Windows of 256 samples that swing at one of three rates, with noise. */
function someWindows(folder: string, count: number): string {
  const random = seededRandom(7);
  const labels = Int32Array.from({ length: count }, () => Math.floor(3 * random.next()));
  const frames = Float32Array.from({ length: 256 * count }, (_, i) => {
    const rate = 4 * (1 + labels[Math.floor(i / 256)]!);
    return Math.sin((2 * Math.PI * rate * (i % 256)) / 256) + 0.3 * (2 * random.next() - 1);
  });
  const file = join(folder, "windows.npz");
  writeFileSync(file, npz({ frames: npy([count, 256], frames), labels: npy([count], labels) }));
  return file;
}

describeWithPython(["torch", "onnx", "PIL"], "python3-torch python3-onnx python3-pil")("the recipes", () => {
  vi.setConfig({ testTimeout: 180_000 });

  test("hold their own tests", async () => {
    expect(await python("-m", "unittest", "discover", "-s", "tests", "-t", ".")).toMatch(/^OK$/m);
  });

  test("distil images from an ONNX teacher into a bundle that is whole", async () => {
    const out = aFolder();
    const frames = join(APPAREL, "frames/demo.npz");
    const teacher = join(APPAREL, "teacher.onnx");
    const units = ["--mean", "0.286", "--std", "0.353"];
    const common = ["--frames", frames, "--teacher", teacher, ...units, "--out", out, "--copies", "2"];
    await recipes("distil", ...common, "--epochs", "2", "--until", "1");
    const bundle = join(out, "bundle");
    const printed = await recipes(
      "distil",
      ...[...common, "--epochs", "2", "--bundle", bundle, "--sekisho", SEKISHO],
    );
    expect(printed).toContain("goes on after epoch 1 of 2");
    expect(printed).toContain("golden frames agree with PyTorch");
    const verified = await sekisho(["bundle", "verify", bundle]);
    expect(verified.stdout).toContain("3 golden frames reproduced");
    const { student } = JSON.parse(readFileSync(join(bundle, "bundle.json"), "utf8"));
    expect(student).toMatchObject({ featureCount: 96, doubtCount: 3 });
  });

  test("train a teacher on windows, distil it into a bundle that can be recorded, and measure the gap", async () => {
    const out = aFolder();
    const frames = someWindows(out, 300);
    const plan = ["--frames", frames, "--out", out, "--classes", "slow,even,fast", "--batch", "50"];
    await recipes("teacher", ...plan, "--epochs", "3");
    const bundle = join(out, "bundle");
    await recipes(
      "distil",
      ...[...plan, "--epochs", "3", "--teacher", join(out, "teacher.pt")],
      ...["--bundle", bundle, "--sekisho", SEKISHO],
    );
    const verified = await sekisho(["bundle", "verify", bundle]);
    expect(verified).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("golden frames reproduced"),
    });
    const recorded = await sekisho([
      "record",
      bundle,
      ...["--frames", frames, "--teacher", join(out, "teacher.onnx")],
    ]);
    expect(recorded, recorded.stderr).toMatchObject({ status: 0 });
    const measured = await recipes(
      "gap",
      ...["--frames", frames, "--recipe", join(out, "recipe.json"), "--steps", "3", "--epsilon", "0.1"],
    );
    const { gap, ball } = JSON.parse(measured);
    expect(ball.meanWorstGap).toBeGreaterThanOrEqual(gap.mean);
  });
});

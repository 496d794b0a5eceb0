/** Evidence that would be worth nothing is refused, and nothing half-written is left behind. */

import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sekisho } from "../support/cli.ts";
import { npy } from "../support/npz.ts";
import { aPicture, SIDE } from "../support/pictures.ts";
import { aWorkshop, differentParts, PARTS, pictures, range, refused } from "../support/record-workshop.ts";
import { tinyOnnx } from "../support/tiny-onnx.ts";

describe("`record` refuses, and leaves the bundle as it was:", () => {
  const frames = { frames: pictures(differentParts) };
  const numbers = (count: number, odd: Readonly<Record<number, number>> = {}): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => odd[i] ?? Math.sin(i));

  test.each([
    [
      "teacher outputs for other classes",
      { teacher_logits: npy([PARTS, 3], numbers(PARTS * 3)) },
      /"teacher_logits" has shape \(60,3\), expected \(60,2\)/,
    ],
    [
      "teacher outputs of another length",
      { teacher_logits: npy([59, 2], numbers(118)) },
      /\(59,2\), expected \(60,2\)/,
    ],
    [
      "teacher outputs without logits",
      { logits: npy([PARTS, 2], numbers(PARTS * 2)) },
      /expected an array "teacher_logits", found logits/,
    ],
    [
      "copies of which one is not finite",
      {
        teacher_logits: npy([PARTS, 2], numbers(PARTS * 2)),
        teacher_logits_neighbourhood: npy([PARTS, 1, 2], numbers(PARTS * 2)),
        frames_neighbourhood: npy([PARTS, 1, SIDE, SIDE], numbers(PARTS * SIDE * SIDE, { 7000: Number.NaN })),
      },
      /"frames_neighbourhood" is not finite in 1 of 60 rows \(12\)/,
    ],
  ])("%s", async (_, outputs, reason) => {
    const workshop = await aWorkshop();
    const options = [
      "record",
      workshop.bundle,
      "--frames",
      workshop.arrays("frames.npz", frames),
      "--teacher-outputs",
      workshop.arrays("outputs.npz", outputs),
    ];
    expect(await refused(workshop, () => sekisho(options))).toMatch(reason);
  });

  test.each([
    [
      "labels of another length",
      { ...frames, labels: npy([59], new Int32Array(59)) },
      /"labels" has shape \(59\), expected \(60\)/,
    ],
    [
      "one part in two splits",
      {
        ...frames,
        parts: npy([PARTS], new Int32Array(PARTS)),
        split: npy(
          [PARTS],
          Int32Array.from({ length: PARTS }, (_, i) => i % 2),
        ),
      },
      /part "0" is in two splits \(fit and cal\)/,
    ],
    [
      "frames of another size",
      { frames: npy([1, 8, 8], new Uint8Array(64)) },
      /each of "frames" has shape \(8,8\), the bundle's frames have \(24,24,1\) or \(24,24\)/,
    ],
    ["no frames at all", { frames: npy([0, SIDE, SIDE], new Uint8Array(0)) }, /it holds no frame/],
  ])("%s", async (_, arrays, reason) => {
    const workshop = await aWorkshop();
    const file = workshop.arrays("frames.npz", arrays);
    expect(await refused(workshop, () => workshop.record("--frames", file))).toMatch(reason);
  });

  test("frames that are not finite, by their rows, since live ones would be rejected unjudged", async () => {
    const workshop = await aWorkshop([32]);
    const odd = {
      65: Number.NaN,
      70: Number.NaN,
      320: Number.POSITIVE_INFINITY,
      352: Number.NaN,
      400: Number.NaN,
    };
    const file = workshop.arrays("frames.npz", { frames: npy([40, 32], numbers(40 * 32, odd)) });
    expect(await refused(workshop, () => workshop.record("--frames", file))).toMatch(
      /"frames" is not finite in 4 of 40 rows \(2, 10, 11, \.\.\.\); .* leave these rows out/,
    );
  });

  test("a teacher with other classes, and files that are not what they are named for", async () => {
    const workshop = await aWorkshop();
    const file = workshop.arrays("frames.npz", frames);
    const other = workshop.path("other.onnx");
    writeFileSync(other, tinyOnnx({ inputShape: [1, SIDE, SIDE], classes: 3, featureCount: 0 }));
    const stranger = ["record", workshop.bundle, "--frames", file, "--teacher", other];
    expect(await refused(workshop, () => sekisho(stranger))).toMatch(
      /as the teacher of bundle: .*\[batch, 2\]/,
    );
    expect(await refused(workshop, () => workshop.record("--frames", other))).toMatch(
      /expected an \.npz file/,
    );
  });

  test("nuisances that no neighbourhood can hold, with the place of each", async () => {
    const workshop = await aWorkshop();
    const file = workshop.path("line.json");
    writeFileSync(file, '{\n  "shift": 1.5,\n  "nois": 0.01,\n  "contrast": 0\n}');
    const options = ["--frames", workshop.arrays("frames.npz", frames), "--nuisances", file];
    const reasons = await refused(workshop, () => workshop.record(...options));
    expect(reasons).toMatch(/line\.json:2:\d+: shift: expected integer, found 1\.5/);
    expect(reasons).toMatch(/line\.json:3:\d+: unknown key "nois"; did you mean "noise"\?/);
    expect(reasons).toMatch(/line\.json:4:\d+: contrast: must be > 0/);
    writeFileSync(file, "{}");
    expect(await refused(workshop, () => workshop.record(...options))).toMatch(/line\.json:1:1: /);
    expect(await refused(workshop, () => workshop.record(...options, "--repeats", file))).toMatch(
      /by one of --nuisances and --repeats/,
    );
    const missing = ["--frames", options[1]!, "--nuisances", workshop.path("none.json")];
    expect(await refused(workshop, () => workshop.record(...missing))).toMatch(/cannot read the nuisances/);
  });

  test("repeats without part ids, or of too few parts", async () => {
    const workshop = await aWorkshop();
    const file = workshop.arrays("frames.npz", frames);
    const twice = pictures(range(20).map((i) => aPicture(i >> 1)));
    const parts = npy(
      [20],
      Int32Array.from({ length: 20 }, (_, i) => i >> 1),
    );
    const recordWith = (name: string, arrays: Record<string, Buffer>) => () =>
      workshop.record("--frames", file, "--repeats", workshop.arrays(name, arrays));
    expect(await refused(workshop, recordWith("a.npz", { frames: twice }))).toMatch(
      /a\.npz: expected part ids/,
    );
    expect(await refused(workshop, recordWith("b.npz", { frames: twice, parts }))).toMatch(
      /b\.npz: 10 parts have two frames or more, and it takes 59: .* record 49 more/,
    );
  });
});

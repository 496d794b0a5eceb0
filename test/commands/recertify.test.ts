/** Recertification as a process engineer types it: fresh parts, the next revision, and what is refused on the way. */

import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import { readEvidence } from "../../src/bundle/evidence.ts";
import { sekisho } from "../support/cli.ts";
import { npy } from "../support/npz.ts";
import {
  aCertifiedWorkshop,
  done,
  RECORDED_FRAMES,
  SIDES,
  someFrames,
  type Workshop,
} from "../support/workshop.ts";

const FRESH = 300;
const ALPHA = ["--alpha", "0.05"];

describe("recertification", () => {
  let workshop: Workshop;
  const fresh = (name: string, count: number, seed: number, parts?: number[]): string =>
    workshop.put(name, {
      frames: npy([count, SIDES], someFrames(count, seed)),
      ...(parts !== undefined && { parts: npy([count], Int32Array.from(parts)) }),
    });
  const record = (frames: string, ...args: string[]) =>
    sekisho([
      "record",
      workshop.bundle,
      "--frames",
      frames,
      "--teacher",
      workshop.path("teacher.onnx"),
      ...args,
    ]);
  const certify = (...args: string[]) => sekisho(["certify", workshop.bundle, ...ALPHA, ...args]);
  const envelope = () => JSON.parse(readFileSync(join(workshop.bundle, "envelope.json"), "utf8"));
  const evidence = () => readEvidence(join(workshop.bundle, "evidence.sqlite"));
  const calOf = ({ evidence: { splitOfPart } }: ReturnType<typeof evidence>): number =>
    splitOfPart.filter((split) => split === "cal").length;

  beforeAll(async () => {
    workshop = await aCertifiedWorkshop();
  });

  test("without fresh parts is refused, with the number missing", async () => {
    const { status, stderr } = await certify("--revision", "2");
    expect(status).toBe(1);
    expect(stderr).toMatch(/no fresh parts of cal for revision 2, and 136 are missing: add them with/);
    expect((await certify("--revision", "3")).stderr).toMatch(/so the next is 2, not 3/);
  });

  test("refuses what is no fresh part, and leaves the evidence as it was", async () => {
    const before = readFileSync(join(workshop.bundle, "evidence.sqlite"));
    const again = await record(workshop.path("frames.npz"), "--as-cal", "2");
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(
      /1200 parts show a frame that the evidence has already, by another name: .* and 1197 more/,
    );
    const mixed = someFrames(3, 4242);
    mixed.set(someFrames(RECORDED_FRAMES, 1).subarray(700 * SIDES, 701 * SIDES), SIDES);
    const one = workshop.put("mixed.npz", {
      frames: npy([3, SIDES], mixed),
      parts: npy([3], Int32Array.of(9001, 9002, 9003)),
    });
    expect((await record(one, "--as-cal", "2")).stderr).toMatch(/1 parts show a frame .*: 9002; /);
    const named = fresh("named.npz", 2, 77, [9001, 17]);
    expect((await record(named, "--as-cal", "2")).stderr).toMatch(/1 parts are in the evidence already: 17/);
    expect(readFileSync(join(workshop.bundle, "evidence.sqlite"))).toEqual(before);
    expect(existsSync(join(workshop.bundle, "evidence.sqlite.fresh"))).toBe(false);
  });

  test.each<[string, string[], RegExp]>([
    ["for another revision than the next", ["--as-cal", "3"], /fresh parts are for revision 2, found "3"/],
    ["for the revision that is certified", ["--as-cal", "1"], /fresh parts are for revision 2, found "1"/],
    ["with other copies", ["--as-cal", "2", "--nuisances", "x"], /--nuisances does not go with --as-cal/],
    ["in place of what is there", ["--as-cal", "2", "--replace"], /--replace does not go with --as-cal/],
  ])("refuses fresh parts %s", async (_, args, reason) => {
    const { status, stderr } = await record(fresh("few.npz", 4, 11), ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(reason);
  });

  test("refuses fresh parts of another teacher", async () => {
    const frames = fresh("few.npz", 4, 11);
    const { status, stderr } = await sekisho([
      ...["record", workshop.bundle, "--frames", frames, "--as-cal", "2"],
      ...["--teacher", workshop.path("stranger.onnx")],
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/is not the teacher that the evidence was recorded with/);
  });

  test("with too few fresh parts is refused, with the number missing, and they can be added to", async () => {
    const old = envelope();
    const { status, stdout } = await record(fresh("some.npz", 100, 21), "--as-cal", "2", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ revision: 2, frames: 100, parts: 100, cal: 100 });
    expect(envelope()).toEqual(old);
    const read = readBundle(workshop.bundle);
    expect(read.ok && read.bundle.envelope).toBeTruthy();
    const refused = await certify();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(
      /has 100 fresh parts of cal for revision 2.*36 are missing: add them with `record --as-cal 2`/,
    );
    const more = await record(fresh("more.npz", FRESH - 100, 22), "--as-cal", "2", "--json");
    expect(JSON.parse(more.stdout)).toMatchObject({ cal: FRESH });
  });

  test("counts the fresh parts alone, with the share of eta of its revision", async () => {
    const first = envelope();
    const { status, stdout, stderr } = await certify("--json");
    expect(stderr).not.toMatch(/refused/);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ revision: 2, parts: { cal: FRESH } });
    const second = envelope();
    expect(second.certificate.revision).toBe(2);
    expect(second.certificate.eta).toBeCloseTo((6 * 0.05) / (Math.PI ** 2 * 4), 12);
    expect(second.certificate.parts).toEqual({ ...first.certificate.parts, cal: FRESH });
    // Fit is what it was: scores of before go on meaning the same.
    expect(second.fitted).toEqual(first.fitted);
    expect(calOf(evidence())).toBe(FRESH);
    expect(evidence().partNames).toHaveLength(RECORDED_FRAMES + FRESH);
  });

  test("of the same parts with other targets, of a revision past, or with another eta, is refused", async () => {
    expect((await sekisho(["certify", workshop.bundle, "--alpha", "0.1"])).stderr).toMatch(
      /has certified .* already/,
    );
    expect((await certify("--revision", "1")).stderr).toMatch(/revision 1 is past/);
    expect((await certify("--eta", "0.1")).stderr).toMatch(
      /--eta: revision 1 was certified with eta 0\.05, found 0\.1/,
    );
    expect((await record(fresh("late.npz", 5, 31), "--as-cal", "2")).stderr).toMatch(
      /are for revision 3, found "2"/,
    );
  });

  test("again with the same settings gives the same certificate", async () => {
    const before = envelope();
    await done("certify", workshop.bundle, ...ALPHA, "--revision", "2");
    expect(envelope()).toEqual(before);
  });

  test("after a new recording is the next revision, of parts that were in no cal before", async () => {
    const copy = workshop.path("copy");
    cpSync(workshop.bundle, copy, { recursive: true });
    const replace = (frames: string) =>
      sekisho([
        "record",
        copy,
        "--frames",
        frames,
        "--teacher",
        workshop.path("teacher.onnx"),
        "--copies",
        "4",
        "--replace",
      ]);
    const refused = await replace(workshop.path("frames.npz"));
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/\d+ parts of cal were cal of revision 1, 2 already, which was certified/);
    expect(readEvidence(join(copy, "evidence.sqlite")).revisions.newest).toBe(2);
    expect((await replace(fresh("all-new.npz", 1000, 41))).status).toBe(0);
    const { revisions } = readEvidence(join(copy, "evidence.sqlite"));
    expect(revisions).toEqual({
      newest: 3,
      certified: [
        { revision: 1, eta: 0.05 },
        { revision: 2, eta: 0.05 },
      ],
    });
    const certified = await sekisho(["certify", copy, ...ALPHA, "--json"]);
    expect(JSON.parse(certified.stdout)).toMatchObject({ revision: 3 });
    // What was counted before the recording before is not forgotten either.
    const longAgo = await replace(fresh("long-ago.npz", 900, 21));
    expect(longAgo.status).toBe(1);
    expect(longAgo.stderr).toMatch(/parts of cal were cal of revision 1, 2, 3 already/);
    rmSync(copy, { recursive: true });
  });
});

/** Slots of shared memory: what is written into them, what is left of them, and engines that are fed by them. */

import { fstatSync, readdirSync, readFileSync, readlinkSync, readSync, writeSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { FrameSpec, Preprocessing } from "../../src/core/frame.ts";
import { CHANNEL_FD, IN_FLIGHT_MAX, SLOTS_FD } from "../../src/engine/channel.ts";
import type { EngineLoad } from "../../src/engine/load.ts";
import { openSlots, type Slots } from "../../src/engine/slots.ts";
import { type EngineFrame, EngineLost, type Outcome } from "../../src/gateway/ports.ts";
import { aSmallDisk, describeWithSmallDisk } from "../support/small-disk.ts";
import { aLoad, anEngine, GREY, numbersOf, rawFrames, type TestEngine } from "./fixtures.ts";

vi.setConfig({ testTimeout: 30_000 });

const SHARED = "/dev/shm";
const MIB = 2 ** 20;

/** 1,024 bytes a frame, 32 KiB a full batch and a slot. */
const SIGNAL: FrameSpec = { kind: "tensor", type: "f32", shape: [256] };
const SIGNAL_SLOT_BYTES = 32 * 1024;

const frameOf = (bytes: number, fill = bytes): EngineFrame => ({
  encoding: "raw",
  payload: new Uint8Array(bytes).fill(fill),
});

function slotsFor(spec: FrameSpec): Slots {
  const slots = openSlots({ frame: spec, batchMax: 32 })!;
  onTestFinished(() => slots.close());
  return slots;
}

/** Files of slots that a process holds, as the links of its file descriptors say. */
function filesHeld(pid: number | "self", folder = SHARED): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return file.startsWith(`${folder}/sekisho-`) ? [`${fd} ${file}`] : [];
    } catch {
      // The descriptor with which the folder was listed.
      return [];
    }
  });
}

describe("slots", () => {
  test("hold the payloads of a batch one after another, each batch its own", () => {
    const slots = slotsFor(SIGNAL);
    const first = slots.put([frameOf(3000), frameOf(2000)])!;
    const second = slots.put([frameOf(5000, 9)])!;
    const found = Buffer.alloc(5000);
    readSync(slots.readFd, found, 0, 5000, first);
    expect(found).toEqual(Buffer.concat([frameOf(3000), frameOf(2000)].map(({ payload }) => payload)));
    readSync(slots.readFd, found, 0, 5000, second);
    expect(found).toEqual(Buffer.alloc(5000, 9));
  });

  test("are two, and are taken again only when freed", () => {
    const slots = slotsFor(SIGNAL);
    const batch = [frameOf(SIGNAL_SLOT_BYTES)];
    const places = [slots.put(batch)!, slots.put(batch)!];
    expect(places.toSorted((a, b) => a - b)).toEqual([0, SIGNAL_SLOT_BYTES]);
    expect(slots.put(batch)).toBeUndefined();
    slots.free(places[1]!);
    expect(slots.put(batch)).toBe(places[1]);
    expect(slots.put(batch)).toBeUndefined();
  });

  test("take no batch that is larger than one, nor one so small that it is better sent", () => {
    const slots = slotsFor(SIGNAL);
    expect(slots.put([frameOf(SIGNAL_SLOT_BYTES), frameOf(1)])).toBeUndefined();
    expect(slots.put([frameOf(4095)])).toBeUndefined();
    expect(slots.put([frameOf(4096)])).toBeDefined();
    expect(openSlots({ frame: GREY, batchMax: 32 })).toBeUndefined();
  });

  test("are bounded, however large the frames", () => {
    const slots = slotsFor({ kind: "image", height: 2000, width: 2000, channels: 3 });
    expect(fstatSync(slots.readFd).size).toBe(2 * 4 * MIB);
  });

  test("lie in a file without a name, which its owner alone may read, and the engine's end not write", () => {
    const slots = slotsFor(SIGNAL);
    expect(readlinkSync(`/proc/self/fd/${slots.readFd}`)).toMatch(/^\/dev\/shm\/sekisho-.* \(deleted\)$/);
    const { mode, nlink } = fstatSync(slots.readFd);
    expect([mode & 0o777, nlink]).toEqual([0o600, 0]);
    expect(() => writeSync(slots.readFd, "mine")).toThrow(/EBADF/);
  });

  test("let go of their file when they are closed, and write into no other that gets its number", () => {
    const slots = slotsFor(SIGNAL);
    const held = filesHeld("self").length;
    slots.closeReadFd();
    slots.close();
    slots.close();
    expect(filesHeld("self")).toHaveLength(held - 2);
    const others = [slotsFor(SIGNAL), slotsFor(SIGNAL)];
    expect(slots.put([frameOf(5000, 7)])).toBeUndefined();
    for (const { readFd } of others) {
      const found = Buffer.alloc(5000);
      readSync(readFd, found, 0, 5000, 0);
      expect(found).toEqual(Buffer.alloc(5000));
    }
  });

  test("are none where there is no shared memory", () => {
    expect(openSlots({ frame: SIGNAL, batchMax: 32 }, "/no/such/folder")).toBeUndefined();
    // A folder, but on no such file system.
    expect(openSlots({ frame: SIGNAL, batchMax: 32 }, "/proc")).toBeUndefined();
  });
});

describeWithSmallDisk("slots where shared memory is full", () => {
  test("are none, and leave it as it was", () => {
    const shared = aSmallDisk(40_960);
    onTestFinished(() => shared.unmount());
    expect(openSlots({ frame: SIGNAL, batchMax: 32 }, shared.folder)).toBeUndefined();
    expect(readdirSync(shared.folder)).toEqual([]);
    expect(filesHeld("self", shared.folder)).toEqual([]);
  });
});

async function running(load: EngineLoad): Promise<TestEngine> {
  const engine = await anEngine(load);
  onTestFinished(() => engine.close());
  return engine;
}

/** Each by itself, in a message since it is small. */
async function alone(engine: TestEngine, frames: readonly EngineFrame[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const frame of frames) outcomes.push(...(await engine.judge([frame])));
  return outcomes;
}

function expectClose(found: readonly Outcome[], expected: readonly Outcome[]): void {
  const numbers = (outcome: Outcome, of: (number: number) => unknown): unknown =>
    outcome.kind === "reject"
      ? outcome
      : Object.entries(outcome.prediction).map(([name, value]) => [
          name,
          typeof value === "number" ? of(value) : Array.from(value ?? [], of),
        ]);
  const rounded = expected.map((outcome) => numbers(outcome, (number) => expect.closeTo(number, 4)));
  expect(found.map((outcome) => numbers(outcome, (number) => number))).toEqual(rounded);
}

/** What a batch may bring beside frames that can be judged. */
function spoilt(spec: FrameSpec, frame: EngineFrame): EngineFrame[] {
  const notFinite = new Float32Array(numbersOf(spec, 1).length);
  notFinite[100] = Number.NaN;
  const infinite = new Float32Array(notFinite.length).fill(-Infinity);
  const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer);
  return [
    { encoding: "raw", payload: bytesOf(notFinite) },
    frame,
    { encoding: "raw", payload: bytesOf(infinite) },
  ];
}

describe("an engine with slots", () => {
  const SCALED: Preprocessing = { resize: "none", layout: "flat", scale: 0.5, mean: [0.1], std: [2] };
  const PER_CHANNEL: Preprocessing = { ...SCALED, layout: "HWC", mean: [0.1, 0.2], std: [2, 3] };

  test.each<[string, FrameSpec, Partial<EngineLoad>]>([
    ["float32 as it is", SIGNAL, {}],
    ["float32 to be scaled", SIGNAL, { preprocessing: SCALED, golden: [] }],
    [
      "float32 to be scaled by channel",
      { kind: "tensor", type: "f32", shape: [128, 2] },
      { preprocessing: PER_CHANNEL, golden: [] },
    ],
    ["i16", { kind: "tensor", type: "i16", shape: [256] }, {}],
    ["bytes", { kind: "image", height: 16, width: 16, channels: 1 }, {}],
  ])("says of %s what it says of each frame sent by itself", async (_, spec, changes) => {
    const tiny = spec.kind === "tensor" && spec.shape.length > 1 ? { inputShape: spec.shape } : {};
    const engine = await running(aLoad(spec, tiny, changes));
    const frames = rawFrames(spec, 30);
    const single = await alone(engine, frames);
    expect(single.every((outcome) => outcome.kind === "prediction")).toBe(true);
    expect(new Set(single.map((outcome) => JSON.stringify(outcome))).size).toBe(30);
    for (let round = 0; round < 3; round++) expectClose(await engine.judge(frames), single);
  });

  test("rejects what is not finite, and it alone, wherever it stands", async () => {
    const engine = await running(aLoad(SIGNAL));
    const [frame, other] = rawFrames(SIGNAL, 2) as [EngineFrame, EngineFrame];
    const frames = [...spoilt(SIGNAL, frame), other, frame, ...spoilt(SIGNAL, other)];
    const single = await alone(engine, frames);
    expect(single.map((outcome) => (outcome.kind === "reject" ? outcome.reason : "judged"))).toEqual([
      "not-finite",
      "judged",
      "not-finite",
      "judged",
      "judged",
      "not-finite",
      "judged",
      "not-finite",
    ]);
    expectClose(await engine.judge(frames), single);
    const none = Array.from({ length: 6 }, () => frames[0]!);
    expect(await engine.judge(none)).toEqual(none.map(() => ({ kind: "reject", reason: "not-finite" })));
  });

  test("takes other encodings and wrong lengths among a batch's frames", async () => {
    const engine = await running(aLoad(SIGNAL));
    const text = (values: unknown): EngineFrame => ({
      encoding: "json",
      payload: Buffer.from(JSON.stringify({ values })),
    });
    const frames = [
      frameOf(3),
      ...rawFrames(SIGNAL, 5),
      text(numbersOf(SIGNAL, 3)),
      frameOf(1025),
      text("no"),
      ...spoilt(SIGNAL, rawFrames(SIGNAL, 1)[0]!),
    ];
    const single = await alone(engine, frames);
    expect(single.filter((outcome) => outcome.kind === "prediction")).toHaveLength(7);
    expectClose(await engine.judge(frames), single);
  });

  test("takes a batch that is larger than a slot in a message", async () => {
    const engine = await running(aLoad(SIGNAL));
    const values = numbersOf(SIGNAL, 3);
    const wide: EngineFrame = {
      encoding: "json",
      payload: Buffer.from(JSON.stringify({ values, note: "x".repeat(SIGNAL_SLOT_BYTES) })),
    };
    const frames = [wide, ...rawFrames(SIGNAL, 3)];
    expectClose(await engine.judge(frames), await alone(engine, frames));
  });

  test("keeps the batches apart that wait while it is slow, also those for which no slot was free", async () => {
    const engine = await running(aLoad(SIGNAL));
    const batches = Array.from({ length: IN_FLIGHT_MAX }, (_, i) => rawFrames(SIGNAL, 20, 1000 * i));
    const expected: Outcome[][] = [];
    for (const frames of batches) expected.push(await alone(engine, frames));
    for (let round = 0; round < 3; round++) {
      process.kill(engine.pid, "SIGSTOP");
      const judging = batches.map((frames) => engine.judge(frames));
      process.kill(engine.pid, "SIGCONT");
      for (const [i, outcomes] of (await Promise.all(judging)).entries()) expectClose(outcomes, expected[i]!);
    }
  });

  test("has the file to read at its place, and the main process has it to write; both let go at its end", async () => {
    const before = filesHeld("self");
    const engine = await anEngine(aLoad(SIGNAL));
    const own = filesHeld("self").filter((file) => !before.includes(file));
    const [theirs, ...more] = filesHeld(engine.pid);
    expect(own).toHaveLength(1);
    expect(more).toEqual([]);
    expect(theirs).toMatch(new RegExp(`^${SLOTS_FD} .* \\(deleted\\)$`));
    expect(theirs!.split(" ")[1]).toBe(own[0]!.split(" ")[1]);
    // The last digit of its flags, in octal, is how it was opened: 0 to read only.
    expect(readFileSync(`/proc/${engine.pid}/fdinfo/${SLOTS_FD}`, "utf8")).toMatch(/^flags:\s+\d*0$/m);
    const another = await running(aLoad(SIGNAL));
    expect(filesHeld(another.pid)).toHaveLength(1);
    await engine.close();
    expect(filesHeld("self").filter((file) => own.includes(file))).toEqual([]);
  });

  test("that is killed with batches in its slots loses them all, and lets go of the file", async () => {
    const before = filesHeld("self");
    const engine = await anEngine(aLoad(SIGNAL));
    process.kill(engine.pid, "SIGSTOP");
    const judging = Array.from({ length: 3 }, () => engine.judge(rawFrames(SIGNAL, 32)));
    process.kill(engine.pid, "SIGKILL");
    for (const [i, result] of (await Promise.allSettled(judging)).entries()) {
      expect(result).toMatchObject({
        status: "rejected",
        reason: { name: "EngineLost", suspicion: i === 0 ? "slight" : "none" },
      });
    }
    await engine.exited;
    await expect(engine.judge(rawFrames(SIGNAL, 32))).rejects.toThrow(EngineLost);
    expect(filesHeld("self")).toEqual(before);
  });

  test("that never was leaves no file open", async () => {
    const before = filesHeld("self");
    await expect(anEngine(aLoad(SIGNAL, {}, { student: new Uint8Array(9) }))).rejects.toThrow();
    expect(filesHeld("self")).toEqual(before);
  });

  test("has only the channel where it has none", async () => {
    const engine = await running(aLoad(GREY));
    expect(filesHeld(engine.pid)).toEqual([]);
    expect(readlinkSync(`/proc/${engine.pid}/fd/${CHANNEL_FD}`)).toMatch(/^socket:/);
    expect(await engine.judge(rawFrames(GREY, 2))).toHaveLength(2);
  });
});

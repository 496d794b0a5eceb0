import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { FrameSpec, Preprocessing } from "../../src/core/frame.ts";
import { BODY_BYTES_MAX, CHANNEL_FD, ENGINE_DIRECTORY, IN_FLIGHT_MAX } from "../../src/engine/channel.ts";
import { EngineRefused } from "../../src/engine/engine-child.ts";
import type { EngineLoad } from "../../src/engine/load.ts";
import { type EngineFrame, EngineLost, type Outcome } from "../../src/gateway/ports.ts";
import { aLoad, anEngine, ENGINE_MODULE, GREY, rawFrames, type TestEngine } from "./fixtures.ts";

// Each test starts processes, on machines that are busy with other tests.
vi.setConfig({ testTimeout: 30_000 });

const SHORT: EngineFrame = { encoding: "raw", payload: Uint8Array.of(1, 2, 3) };
const LONG: EngineFrame = { encoding: "raw", payload: new Uint8Array(99) };
const TEXT: EngineFrame = { encoding: "json", payload: new TextEncoder().encode("no") };

/** An engine that is closed when the test is over. */
async function running(load: EngineLoad = aLoad(), options = {}): Promise<TestEngine> {
  const engine = await anEngine(load, options);
  onTestFinished(() => engine.close());
  return engine;
}

const READY = messageOf(JSON.stringify({ type: "ready" }));

const directoryOf = (pid: number): string => readlinkSync(`/proc/${pid}/cwd`);

/** Whether there is such a process that is more than an entry nobody has collected. */
function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, "utf8"));
}

describe("an engine", () => {
  test("answers each frame at its place, rejects among predictions", async () => {
    const engine = await running();
    const frames = rawFrames(GREY, 8);
    const alone: Outcome[] = [];
    for (const frame of frames) alone.push(...(await engine.judge([frame])));
    expect(alone.every((outcome) => outcome.kind === "prediction")).toBe(true);
    expect(new Set(alone.map((outcome) => JSON.stringify(outcome))).size).toBe(8);

    const [a, b, c, d, ...rest] = frames as [
      EngineFrame,
      EngineFrame,
      EngineFrame,
      EngineFrame,
      ...EngineFrame[],
    ];
    const mixed = await engine.judge([SHORT, a, b, TEXT, LONG, c, d, ...rest, SHORT]);
    const reject = (reason: string): unknown => ({ kind: "reject", reason });
    expect(mixed.length).toBe(12);
    expect(mixed[0]).toEqual(reject("too-short"));
    expect(mixed[3]).toEqual(reject("invalid-json"));
    expect(mixed[4]).toEqual(reject("too-long"));
    expect(mixed[11]).toEqual(reject("too-short"));
    const predictions = mixed.filter((outcome) => outcome.kind === "prediction");
    predictions.forEach((outcome, i) => {
      expectClose(outcome, alone[i]!);
    });
  });

  test("answers a batch of only rejects, and an empty one", async () => {
    const engine = await running();
    expect(await engine.judge([])).toEqual([]);
    expect(await engine.judge([SHORT, LONG])).toEqual([
      { kind: "reject", reason: "too-short" },
      { kind: "reject", reason: "too-long" },
    ]);
  });

  test("takes batches before it has answered earlier ones", async () => {
    const engine = await running();
    const batches = Array.from({ length: IN_FLIGHT_MAX }, (_, i) => rawFrames(GREY, i + 1, 1000 * i));
    const together = await Promise.all(batches.map((frames) => engine.judge(frames)));
    for (const [i, frames] of batches.entries()) {
      const again = await engine.judge(frames);
      expect(together[i]).toHaveLength(frames.length);
      again.forEach((outcome, j) => {
        expectClose(outcome, together[i]![j]!);
      });
    }
  });

  test("refuses more batches at once than it has room for, and larger ones than agreed", async () => {
    const engine = await running();
    const judging = Array.from({ length: IN_FLIGHT_MAX + 1 }, () => engine.judge(rawFrames(GREY, 1)));
    const results = await Promise.allSettled(judging);
    expect(results.map((result) => result.status)).toEqual([
      ...Array(IN_FLIGHT_MAX).fill("fulfilled"),
      "rejected",
    ]);
    await expect(engine.judge(rawFrames(GREY, 33))).rejects.toThrow("a batch of 33 frames; at most 32");
  });

  test("tells numbers that are not finite from predictions that pass", async () => {
    const offsets = [
      { featureOffset: Number.NaN },
      { logitOffset: Number.NaN },
      { doubtCount: 2, doubtOffset: Number.NaN },
    ];
    for (const spoilt of offsets) {
      const engine = await running(aLoad(GREY, spoilt, { golden: [] }));
      for (const outcome of await engine.judge(rawFrames(GREY, 3))) {
        expect(outcome).toMatchObject({
          kind: "prediction",
          prediction: { classIndex: -1, score: Number.NaN },
        });
      }
    }
  });

  test("does not let one frame's numbers stand in for another's that has none", async () => {
    const spec: FrameSpec = { kind: "tensor", type: "f32", shape: [16] };
    const preprocessing: Preprocessing = { resize: "none", layout: "flat", scale: 10, mean: [0], std: [1] };
    const engine = await running(aLoad(spec, {}, { golden: [], preprocessing }));
    // Finite, but ten times as much is not.
    const huge: EngineFrame = {
      encoding: "raw",
      payload: new Uint8Array(new Float32Array(16).fill(3e38).buffer),
    };
    const [good] = rawFrames(spec, 1) as [EngineFrame];
    const [first, spoilt, last] = (await engine.judge([good, huge, good])) as [Outcome, Outcome, Outcome];
    expectClose(last, first);
    expect(spoilt).not.toEqual(first);
    if (spoilt.kind !== "prediction") throw new Error(`expected a prediction, got ${spoilt.reason}`);
    expect(Object.values(spoilt.prediction).every((number) => Number.isFinite(number))).toBe(false);
  });

  test("judges any encoding and element type", async () => {
    for (const type of ["u8", "i16", "f32"] as const) {
      const spec: FrameSpec = { kind: "tensor", type, shape: [16] };
      const engine = await running(aLoad(spec));
      const [frame] = rawFrames(spec, 1) as [EngineFrame];
      expect((await engine.judge([frame]))[0]).toMatchObject({ kind: "prediction" });
    }
  });

  test("takes a batch larger than a message in several, and rejects a frame larger than one", async () => {
    const engine = await running();
    const half: EngineFrame = { encoding: "raw", payload: new Uint8Array(BODY_BYTES_MAX / 2) };
    const whole: EngineFrame = { encoding: "raw", payload: new Uint8Array(BODY_BYTES_MAX) };
    const [good] = rawFrames(GREY, 1) as [EngineFrame];
    const outcomes = await engine.judge([good, half, half, whole, half, good]);
    expect(outcomes.map((outcome) => (outcome.kind === "reject" ? outcome.reason : outcome.kind))).toEqual([
      "prediction",
      "too-long",
      "too-long",
      "too-large",
      "too-long",
      "prediction",
    ]);
  });

  test("writes nothing of its own, and lives in a folder of its own that is gone, so that nothing can be put into it", async () => {
    const engine = await running();
    const [, directory] = /^(.*) \(deleted\)$/.exec(directoryOf(engine.pid)) ?? [];
    expect(directory?.startsWith(join(tmpdir(), ENGINE_DIRECTORY))).toBe(true);
    expect(existsSync(directory!)).toBe(false);
    await engine.judge(rawFrames(GREY, 1));
    await engine.close();
    expect(engine.lines).toEqual([]);
  });
});

function expectClose(found: Outcome, expected: Outcome): void {
  if (found.kind !== "prediction" || expected.kind !== "prediction") throw new Error("expected predictions");
  const { classIndex, extent, ...numbers } = found.prediction;
  expect(classIndex).toBe(expected.prediction.classIndex);
  for (const [name, number] of Object.entries(numbers)) {
    expect(number).toBeCloseTo(expected.prediction[name as keyof typeof numbers], 4);
  }
  const place = expected.prediction.extent!.lowest;
  for (const [i, coordinate] of Array.from(extent!.lowest).entries())
    if (!(Number.isNaN(coordinate) && Number.isNaN(place[i]))) expect(coordinate).toBeCloseTo(place[i]!, 4);
}

describe("the end of an engine", () => {
  test("kill -9 in the middle of batches rejects them all, and later ones", async () => {
    const engine = await running();
    process.kill(engine.pid, "SIGSTOP");
    const judging = [engine.judge(rawFrames(GREY, 32)), engine.judge(rawFrames(GREY, 1))];
    process.kill(engine.pid, "SIGKILL");
    // It can have begun on the first only: it takes them one by one.
    for (const [i, result] of (await Promise.allSettled(judging)).entries()) {
      expect(result).toMatchObject({
        status: "rejected",
        reason: { name: "EngineLost", message: /SIGKILL/, suspicion: i === 0 ? "slight" : "none" },
      });
    }
    await expect(engine.judge([SHORT])).rejects.toThrow(EngineLost);
    expect(await engine.exited).toMatchObject({ code: null, signal: "SIGKILL", expected: false });
    expect(engine.exits).toHaveLength(1);
  });

  test("a crash is told with the last words of the process", async () => {
    const engine = await running(aLoad(), { nodeArgs: ["--import", crashOnUsr2()] });
    process.kill(engine.pid, "SIGUSR2");
    // How many batches it still answers before it heeds the signal is chance.
    const judging = async (): Promise<void> => {
      for (;;) await engine.judge([SHORT]);
    };
    const failure = judging();
    await expect(failure).rejects.toThrow(/exit status 1; it last said:[\s\S]*the sky fell/);
    await expect(failure).rejects.toMatchObject({ suspicion: "strong" });
    expect(engine.lines.join("\n")).toContain("the sky fell");
    expect((await engine.exited).lastLines.join("\n")).toContain("the sky fell");
  });

  test.each([
    ["a message longer than any", "[0xff, 0xff, 0xff, 0xff]", /4294967295 bytes; at most 65536/],
    ["a message longer than its answers can be", "[1, 0, 1, 0]", /65537 bytes; at most 65536/],
    ["a reply to another batch", "[8, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]", /another batch than the oldest: 9/],
    ["a reply for other frames", "[8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]", /another batch/],
    ["no reply at all", "[3, 0, 0, 0, 1, 2, 3]", /too short for its head/],
  ])("an engine that answers %s is ended", async (_, bytes, problem) => {
    const engine = await running(aLoad(), { nodeArgs: ["--eval", anEngineThatAnswers(READY, bytes)] });
    const judging = engine.judge([SHORT]);
    await expect(judging).rejects.toThrow(/made no sense: ChannelBroken/);
    await expect(judging).rejects.toThrow(problem);
    expect(await engine.exited).toMatchObject({ signal: "SIGKILL", expected: false });
  });

  test.each([
    ["that is longer than any", "[1, 0, 1, 0]", /65537 bytes; at most 65536/],
    ["that is no answer", messageOf("{}"), /no answer to a load/],
    ["that is no JSON", messageOf("ready"), /no answer to a load/],
    [
      "twice",
      `[...${READY}, ...${READY}, ...${READY}]`,
      /made no sense: ChannelBroken: a (message|reply)|engine ended/,
    ],
  ])("an engine that answers its load with something %s is ended", async (_, bytes, problem) => {
    const nodeArgs = ["--eval", anEngineThatAnswers(bytes, "[]")];
    const starting = running(aLoad(), { nodeArgs }).then((engine) => engine.judge([SHORT]));
    await expect(starting).rejects.toThrow(problem);
  });

  test("an engine that never stops talking is told of a thousand times", async () => {
    const shouting = `process.stderr.write("noise\\n".repeat(5000))`;
    const engine = await running(aLoad(), {
      nodeArgs: ["--import", `data:text/javascript,${encodeURIComponent(shouting)}`],
    });
    await engine.close();
    expect(engine.lines).toHaveLength(1000);
  });

  test("an engine that hangs is killed at its deadline", async () => {
    const engine = await running(aLoad(), { judgeDeadlineMs: 200, judgeDeadlinePerFrameMs: 10 });
    process.kill(engine.pid, "SIGSTOP");
    const first = engine.judge([SHORT, SHORT]);
    const second = engine.judge([SHORT]);
    await expect(first).rejects.toThrow(/no answer to a batch of 2 within 220 ms/);
    // Our own SIGKILL: it hung.
    await expect(first).rejects.toMatchObject({ suspicion: "strong" });
    await expect(second).rejects.toMatchObject({ name: "EngineLost", suspicion: "none" });
    expect(await engine.exited).toMatchObject({ signal: "SIGKILL", expected: false });
  });

  test("closing waits for open batches, refuses later ones, and happens once", async () => {
    const engine = await running();
    const judging = engine.judge(rawFrames(GREY, 32));
    const closing = engine.close();
    expect(engine.close()).toBe(closing);
    await expect(engine.judge([SHORT])).rejects.toThrow(EngineLost);
    expect(await judging).toHaveLength(32);
    await closing;
    expect(isRunning(engine.pid)).toBe(false);
    expect(engine.exits).toMatchObject([{ code: 0, signal: null, expected: true }]);
  });

  test("closing an engine that does not move kills it", async () => {
    const engine = await running(aLoad(), { closeDeadlineMs: 200 });
    process.kill(engine.pid, "SIGSTOP");
    const judging = expect(engine.judge([SHORT])).rejects.toThrow(EngineLost);
    await engine.close();
    await judging;
    expect(engine.exits).toMatchObject([{ signal: "SIGKILL", expected: true }]);
  });

  test("Ctrl-C, a closed terminal and a polite stop leave it to the main process", async () => {
    const engine = await running();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(engine.pid, signal);
    expect(await engine.judge(rawFrames(GREY, 1))).toHaveLength(1);
  });
});

test("an engine does not outlive the main process, however that ends", async () => {
  const source = `
    import { startEngine } from ${JSON.stringify(new URL("engine-process.js", ENGINE_MODULE).href)};
    process.once("message", async (load) => {
      const nothing = () => {};
      const modulePath = ${JSON.stringify(fileURLToPath(ENGINE_MODULE))};
      const engine = await startEngine({ modulePath, load, startDeadlineMs: 30000, onStderr: nothing, onExit: nothing });
      process.send(engine.pid);
    });`;
  const main = spawn(process.execPath, ["--input-type=module", "--eval", source], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
  });
  main.send(aLoad());
  const [pid] = (await once(main, "message")) as [number];
  expect(isRunning(pid)).toBe(true);
  main.kill("SIGKILL");
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 10_000 });
});

describe("a load is refused", () => {
  test.each([
    [
      "that is garbage",
      aLoad(GREY, {}, { student: new TextEncoder().encode("garbage") }),
      /expected an ONNX file/,
    ],
    [
      "whose weights lie elsewhere",
      aLoad(GREY, { externalLocation: "w.bin" }),
      /self-contained ONNX file; tensor "w"/,
    ],
    [
      "with frames of another size",
      aLoad(GREY, { inputShape: [17] }, { golden: [] }),
      /student's input \[17\], found \[16\]/,
    ],
    [
      "of another envelope",
      aLoad(GREY, { classes: 5 }, { envelope: aLoad().envelope }),
      /5 classes, found 4/,
    ],
    [
      "over other features",
      aLoad(GREY, { featureCount: 7 }, { envelope: aLoad().envelope }),
      /7 features, found 3/,
    ],
    [
      "over another number of doubts",
      aLoad(GREY, { doubtCount: 2 }, { envelope: aLoad().envelope }),
      /2 numbers of doubt, found 0/,
    ],
    ["without room for a frame", aLoad(GREY, {}, { batchMax: 0 }), /batchMax of at least 1/],
    [
      "whose golden frame is cut",
      aLoad(GREY, {}, { golden: [{ frame: { base64: "AAAA" }, logits: [0, 0, 0, 0] }] }),
      /golden frame holds 3 bytes/,
    ],
  ])("%s", async (_, load, problem) => {
    const failure = anEngine(load);
    await expect(failure).rejects.toThrow(EngineRefused);
    await expect(failure).rejects.toThrow(problem);
  });

  test("when a golden frame comes out different: which, what was expected, what was found", async () => {
    const load = aLoad();
    const golden = load.golden.map((frame, i) =>
      i === 1 ? { ...frame, logits: frame.logits.map((logit) => logit + 0.01) } : frame,
    );
    await expect(anEngine({ ...load, golden })).rejects.toThrow(
      /golden frame 1 comes out different in a batch of 1: expected logits \[.*\], found \[.*\]: .*put the right student back/,
    );
    const close = load.golden.map((frame) => ({
      ...frame,
      logits: frame.logits.map((logit) => logit + 5e-4),
    }));
    await (await anEngine({ ...load, golden: close })).close();
  });

  test("when golden logits are NaN on both sides", async () => {
    const golden = [{ frame: { seed: 1 }, logits: Array(4).fill(Number.NaN) }];
    await expect(anEngine(aLoad(GREY, { logitOffset: Number.NaN }, { golden }))).rejects.toThrow(
      /comes out different/,
    );
  });

  test("when the engine is not ready in time, dies, or can't be started", async () => {
    await expect(anEngine(aLoad(), { startDeadlineMs: 1 })).rejects.toThrow(/not ready within 1 ms/);
    await expect(anEngine(aLoad(), { modulePath: "/nowhere/main.js" })).rejects.toThrow(
      /ended while it loaded: exit status 1; it last said:[\s\S]*Cannot find module/,
    );
    await expect(anEngine(aLoad(), { nodeArgs: ["--no-such-flag"] })).rejects.toThrow(
      /exit status 9[\s\S]*bad option/,
    );
    expect(ENGINE_MODULE.pathname).toContain("dist/engine/main.js");
  });
});

/** Source of an array: one message of the channel with this text. */
function messageOf(text: string): string {
  return JSON.stringify([text.length, 0, 0, 0, ...Buffer.from(text)]);
}

/** A program that answers its load, and then each batch, with these bytes. */
function anEngineThatAnswers(toLoad: string, toBatch: string): string {
  return `
    const socket = new (require("node:net").Socket)({ fd: ${CHANNEL_FD}, readable: true, writable: true });
    let read = Buffer.alloc(0);
    let isLoaded = false;
    socket.on("data", (bytes) => {
      if (isLoaded) return socket.write(Buffer.from(${toBatch}));
      read = Buffer.concat([read, bytes]);
      if (read.length < 4 || read.length < 4 + read.readUInt32LE(0)) return;
      isLoaded = true;
      socket.write(Buffer.from(${toLoad}));
    });`;
}

/** A module for --import that makes SIGUSR2 a defect. */
function crashOnUsr2(): string {
  const source = `process.on("SIGUSR2", () => { throw new Error("the sky fell"); });`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

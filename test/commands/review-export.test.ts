/** Labels out: what people have answered, as frames for `record` and as tasks for Label Studio. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../src/bundle/bundle.ts";
import { readEvidence } from "../../src/bundle/evidence.ts";
import { readNpz } from "../../src/bundle/npz.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { Database } from "../../src/sqlite/database.ts";
import { type AnswerSketch, answered } from "../support/answered.ts";
import { sekisho } from "../support/cli.ts";
import { aLedgerFile, aRealLedger } from "../support/ledger.ts";
import { aPicture, SIDE } from "../support/pictures.ts";
import { aWorkshop as aPictureWorkshop } from "../support/record-workshop.ts";
import { aWorkshop, done, SIDES, someFrames, type Workshop } from "../support/workshop.ts";

let workshop: Workshop;
let digest: string;

beforeAll(async () => {
  workshop = await aWorkshop();
  digest = sha256(readFileSync(join(workshop.bundle, "bundle.json")));
});

/** A ledger that stays open, as a running gateway's does, with these answers. */
function aLedgerWith(sketches: readonly AnswerSketch[], frameBytesKeptMax = 1 << 20) {
  const path = aLedgerFile();
  const ledger: Ledger = aRealLedger({ path, frameBytesKeptMax });
  answered(ledger, sketches);
  const to = (name: string): string => join(path, "..", name);
  const exported = (target: string, ...options: string[]) => {
    const bundle = options.includes("--bundle") ? [] : ["--bundle", workshop.bundle];
    return sekisho(["review", "export", target, "--ledger", path, ...bundle, ...options]);
  };
  return { path, ledger, to, exported };
}

/** The payload of one signal, as the sensor wrote it. */
function signal(seed: number): Buffer {
  return Buffer.from(someFrames(1, seed).buffer);
}

/** As many answers of each kind as there are ways to leave one out, and three labels. */
const mixed = (): AnswerSketch[] => [
  { id: "confirmed", payload: signal(1), part: "p-1", bundle: digest },
  { id: "corrected", payload: signal(2), part: "p-2", bundle: digest, verdict: "correct", class: "bad" },
  { id: "labelled", payload: signal(3), bundle: digest, verdict: "label", class: "bad", source: "cam-2" },
  { id: "unusable", payload: signal(4), bundle: digest, verdict: "unusable" },
  { id: "by-anyone", payload: signal(5), bundle: digest, vouched: false },
  { id: "renamed", payload: signal(6), className: "dented" },
  { id: "short", payload: signal(7).subarray(4) },
  { id: "waiting", payload: signal(8), verdict: undefined },
];

describe("`review export` to a folder", () => {
  test("writes each vouched answer with its frame, and counts what it leaves out", async () => {
    const { to, exported } = aLedgerWith(mixed());
    const { status, stdout, stderr } = await exported(to("out"), "--json");
    expect(stderr).not.toContain("warning");
    expect(status).toBe(0);
    const [station] = JSON.parse(stdout).stations;
    expect(station).toMatchObject({
      station: "press",
      answered: 7,
      labels: 3,
      classes: { good: 1, bad: 2 },
      otherBundles: 2,
      answeredUntil: "1970-01-01T00:00:02.000Z",
    });
    expect(station.leftOut).toEqual({
      unvouched: 1,
      unusable: 1,
      "frame-gone": 0,
      "frame-damaged": 0,
      "unknown-class": 1,
      "frame-unfit": 1,
    });
    const arrays = await readNpz(to("out/press.npz"), "press.npz");
    const frames = Float32Array.of(...someFrames(1, 1), ...someFrames(1, 2), ...someFrames(1, 3));
    expect(arrays.get("frames")).toEqual({ shape: [3, SIDES], values: frames });
    expect(arrays.get("labels")?.values).toEqual(BigInt64Array.of(0n, 1n, 1n));
    expect(arrays.get("split")?.values).toEqual(Uint8Array.of(0, 0, 0));
    expect(arrays.get("parts")?.values).toEqual(["p-1", "p-2", "review labelled"]);
    expect(arrays.get("sources")?.values).toEqual(["cam-1", "cam-1", "cam-2"]);
    expect(arrays.get("reviews")?.values).toEqual(["confirmed", "corrected", "labelled"]);
  });

  test("gives `record` fit parts with the people's labels", async () => {
    const { to, exported } = aLedgerWith(mixed());
    expect((await exported(to("press.npz"))).status).toBe(0);
    const own = await aWorkshop();
    const teacher = ["--teacher", own.path("teacher.onnx")];
    const { parts } = JSON.parse(
      await done("record", own.bundle, "--frames", to("press.npz"), ...teacher, "--json"),
    );
    expect(parts).toEqual({ fit: 3, cal: 0, ref: 0 });
    const { evidence } = readEvidence(join(own.bundle, "evidence.sqlite"));
    expect([...evidence.label]).toEqual([0, 1, 1]);
  });

  test("gives Label Studio a task for each, with the person's label and the student's", async () => {
    const { to, exported } = aLedgerWith(mixed());
    await exported(to("out"));
    const tasks = JSON.parse(readFileSync(to("out/press.label-studio.json"), "utf8"));
    expect(tasks).toHaveLength(3);
    const result = (id: string, name: string) => ({
      ...{ id, from_name: "class", to_name: "frame", type: "choices" },
      value: { choices: [name] },
    });
    expect(tasks[1]).toEqual({
      data: {
        frame: { value: [...someFrames(1, 2)] },
        ...{
          review: "corrected",
          station: "press",
          source: "cam-1",
          frameId: "frame-corrected",
          part: "p-2",
        },
        ...{ reason: "score", verdict: "correct", answeredAt: "1970-01-01T00:00:02.000Z" },
      },
      annotations: [{ result: [result("corrected", "bad")] }],
      predictions: [
        {
          ...{ model_version: `student ${digest.slice(0, 12)}`, score: 0.9 },
          result: [result("corrected-student", "good")],
        },
      ],
    });
    expect(readFileSync(to("out/press.label-studio.xml"), "utf8")).toBe(
      `<View>
  <TimeSeries name="frame" value="$frame" valueType="json">
    <Channel column="value"/>
  </TimeSeries>
  <Choices name="class" toName="frame" choice="single" required="true">
    <Choice value="good"/>
    <Choice value="bad"/>
  </Choices>
</View>
`,
    );
  });

  test("says in words what became of the answers", async () => {
    const { to, exported } = aLedgerWith(mixed());
    const { stdout } = await exported(to("out"));
    expect(stdout).toBe(
      `press: 3 labelled frames (good 1, bad 2) -> ${to("out/press.npz")}, ${to("out/press.label-studio.json")}, ${to("out/press.label-studio.xml")}; ` +
        "left out: 1 answered by nobody vouched for, 1 answered as unusable, 1 of a class that the bundle has not, 1 whose frame is none of the bundle's; " +
        "2 were judged by another version of the bundle, and fit this one\n" +
        "these frames are no random sample of the line: train and fit with them, and certify with others (docs/reviews.md)\n",
    );
  });
});

describe("frames that must be decoded", () => {
  const rows = [1, 2, 3].map((part) => aPicture(part));
  const png = (pixels: Float32Array) =>
    sharp(Buffer.from(pixels), { raw: { width: SIDE, height: SIDE, channels: 1 } })
      .png()
      .toBuffer();

  test("are decoded as on the line, and a hostile one among them is left out", async () => {
    const pictures = await aPictureWorkshop();
    const [first, second] = await Promise.all([png(rows[0]!), png(rows[1]!)]);
    const { to, exported } = aLedgerWith([
      { id: "a", payload: first, contentType: "image/png" },
      { id: "cut", payload: second.subarray(0, 60), contentType: "image/png" },
      { id: "svg", payload: Buffer.from("<svg/>"), contentType: "image/png" },
      { id: "b", payload: second, contentType: "image/png", verdict: "correct", class: "scratched" },
      { id: "raw", payload: Uint8Array.from(rows[2]!), verdict: "label", class: "good" },
    ]);
    const { stdout } = await exported(to("out"), "--bundle", pictures.bundle, "--json");
    expect(JSON.parse(stdout).stations[0]).toMatchObject({ labels: 3, leftOut: { "frame-unfit": 2 } });
    const { shape, values } = (await readNpz(to("out/press.npz"), "press.npz")).get("frames")!;
    expect(shape).toEqual([3, SIDE, SIDE, 1]);
    expect(values).toEqual(Uint8Array.from(rows.flatMap((row) => [...row])));

    const tasks = JSON.parse(readFileSync(to("out/press.label-studio.json"), "utf8"));
    const uri: string = tasks[2].data.frame;
    expect(uri).toMatch(/^data:image\/png;base64,/);
    const decoded = await sharp(Buffer.from(uri.slice(uri.indexOf(",") + 1), "base64"))
      .raw()
      .toBuffer();
    expect([...decoded].filter((_, i) => i % (decoded.length / rows[2]!.length) === 0)).toEqual([
      ...rows[2]!,
    ]);
    expect(readFileSync(to("out/press.label-studio.xml"), "utf8")).toContain(
      '<Image name="frame" value="$frame"/>',
    );
  });

  test("may be JSON with fractions, which stay", async () => {
    const pictures = await aPictureWorkshop();
    const fractions = Array.from(rows[0]!, (value) => value + 0.25);
    const payload = Buffer.from(JSON.stringify({ values: fractions }));
    const { to, exported } = aLedgerWith([{ id: "a", payload, contentType: "application/json" }]);
    await exported(to("a.npz"), "--bundle", pictures.bundle);
    const { values } = (await readNpz(to("a.npz"), "a.npz")).get("frames")!;
    expect(values).toEqual(Float32Array.from(fractions));
  });
});

describe("`review export` counts", () => {
  test("answers whose frame had to make room, or is not as it was kept", async () => {
    const { path, to, exported } = aLedgerWith(
      ["a", "b", "c"].map((id, i) => ({ id, payload: signal(i), bundle: digest })),
      2 * 4 * SIDES,
    );
    const db = new Database(path);
    db.prepare("UPDATE frames SET payload = ? WHERE decision = 2").run(signal(99));
    db.close();
    const { stdout } = await exported(to("x.npz"), "--json");
    expect(JSON.parse(stdout).stations[0]).toMatchObject({
      labels: 1,
      leftOut: { "frame-gone": 1, "frame-damaged": 1 },
    });
  });

  test("only what was answered at the time asked for or later, and says from when to go on", async () => {
    const { to, exported } = aLedgerWith(
      [0, 1, 2].map((day) => ({ id: `r${day}`, payload: signal(day), atMs: Date.UTC(2026, 2, 1 + day, 6) })),
    );
    const { stdout } = await exported(to("x.npz"), "--since", "2026-03-02", "--json");
    expect(JSON.parse(stdout).stations[0]).toMatchObject({
      answered: 2,
      labels: 2,
      answeredUntil: "2026-03-03T06:00:00.000Z",
    });
  });
});

describe("`review export` refuses, and writes nothing:", () => {
  const refusal = async (run: ReturnType<typeof sekisho>): Promise<string> => {
    const { status, stdout, stderr } = await run;
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    return stderr;
  };

  test("a ledger that is not there", async () => {
    const { to } = aLedgerWith([]);
    const run = sekisho([
      "review",
      "export",
      to("x.npz"),
      "--ledger",
      to("none"),
      "--bundle",
      workshop.bundle,
    ]);
    expect(await refusal(run)).toBe(
      `${to("none")}: there is no ledger; name the gateway's own with --ledger or --config\n`,
    );
  });

  test("another program's database, and a file that is none", async () => {
    const { to } = aLedgerWith([]);
    const other = new Database(to("other"));
    other.exec("CREATE TABLE orders (id INTEGER)");
    other.close();
    writeFileSync(to("text"), "no database".repeat(100));
    const options = ["--bundle", workshop.bundle];
    expect(
      await refusal(sekisho(["review", "export", to("x.npz"), "--ledger", to("other"), ...options])),
    ).toMatch(/is a SQLite database, but no ledger/);
    expect(
      await refusal(sekisho(["review", "export", to("x.npz"), "--ledger", to("text"), ...options])),
    ).toMatch(/cannot read the ledger: file is not a database/);
  });

  test("a ledger without answers", async () => {
    const { path, to, exported } = aLedgerWith([{ id: "a", payload: signal(1), verdict: undefined }]);
    expect(await refusal(exported(to("x.npz")))).toBe(
      `${path}: none of its reviews has been answered yet; nothing was written\n`,
    );
    expect(readdirSync(to(".")).filter((name) => name.startsWith("x"))).toEqual([]);
  });

  test("answers of which none is a label", async () => {
    const { path, to, exported } = aLedgerWith([
      { id: "a", payload: signal(1), vouched: false, bundle: digest },
      { id: "b", payload: signal(2), verdict: "unusable", bundle: digest },
    ]);
    expect(await refusal(exported(to("out")))).toContain(
      `${path}: no review gives a label; press: 1 answered by nobody vouched for, 1 answered as unusable\n`,
    );
    expect(readdirSync(to("out"))).toEqual([]);
  });

  test("frames of another bundle", async () => {
    const pictures = await aPictureWorkshop();
    const { to, exported } = aLedgerWith([{ id: "a", payload: signal(1), bundle: digest }]);
    expect(await refusal(exported(to("x.npz"), "--bundle", pictures.bundle))).toContain(
      `1 whose frame is none of the bundle's; they were judged by another bundle than ${pictures.bundle}: name that one with --bundle\n`,
    );
    expect(existsSync(to("x.npz"))).toBe(false);
  });

  test("one file or one bundle for two stations, and a station without answers", async () => {
    const { to, exported } = aLedgerWith([
      { id: "a", payload: signal(1) },
      { id: "b", payload: signal(2), station: "lathe" },
    ]);
    expect(await refusal(exported(to("out")))).toMatch(
      /--bundle: is the bundle of one station.*lathe, press/,
    );
    expect(await refusal(exported(to("out"), "--station", "oven"))).toMatch(
      /no review of station "oven" has been answered; there are answers at lathe, press/,
    );
    expect((await exported(to("x.npz"), "--station", "lathe")).status).toBe(0);
  });

  test("a file that is there, unless it is to be replaced", async () => {
    const { to, exported } = aLedgerWith([{ id: "a", payload: signal(1) }]);
    expect((await exported(to("x.npz"))).status).toBe(0);
    expect(await refusal(exported(to("x.npz")))).toBe(
      `${to("x.npz")}: exists; choose another place, or --replace\n`,
    );
    expect((await exported(to("x.npz"), "--replace")).status).toBe(0);
  });

  test.each(["yesterday", "2026-3-1", "2026-03-01T06:00:00", "2026-13-01"])("--since %s", async (since) => {
    const { to, exported } = aLedgerWith([{ id: "a", payload: signal(1) }]);
    expect(await refusal(exported(to("x.npz"), "--since", since))).toContain(
      `--since: expected a day or a time with its zone, such as 2026-03-01 or 2026-03-01T06:00:00Z, found "${since}"`,
    );
  });
});

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { receiveMaximumOf } from "../../src/commands/daemon-parts.ts";
import { readConfig } from "../../src/config/config.ts";

const GOOD = `gateway: line-1
broker:
  url: mqtt://127.0.0.1:1883
stations:
  press:
    frames:
      topic: plant/{source}/frames
      encodings: [raw]
    bundle: models/press
    thresholds: thresholds/press.json
`;

function read(text: string, environment: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-config-"));
  const file = join(folder, "sekisho.yaml");
  writeFileSync(file, text);
  return { folder, parsed: readConfig(file, environment) };
}

function problemsOf(text: string, environment: Record<string, string> = {}) {
  const { parsed } = read(text, environment);
  if (parsed.ok) throw new Error("expected problems, found none");
  return parsed.problems.map(({ line, column, message }) => ({ line, column, message }));
}

describe("the configuration", () => {
  test("fills in defaults and makes paths absolute from its own folder", () => {
    const { folder, parsed } = read(GOOD);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.value.http).toMatchObject({ host: "127.0.0.1", port: 8477 });
    expect(parsed.value.engines.batchMax).toBe(128);
    expect(parsed.value.ledger.path).toBe(join(folder, "sekisho.ledger"));
    expect(parsed.value.stations.press?.bundle).toBe(join(folder, "models/press"));
  });

  test("names line, column and the nearest key of an unknown one", () => {
    const problems = problemsOf(GOOD.replace("encodings: [raw]", "encodngs: [raw]"));
    expect(problems).toContainEqual({
      line: 8,
      column: 7,
      message: 'unknown key "encodngs" in stations.press.frames; did you mean "encodings"?',
    });
  });

  test("says where parts cannot be put together", () => {
    const withParts = GOOD.replace("    bundle:", "    parts: { windowSeconds: 90 }\n    bundle:");
    const shared = withParts.replace("plant/{source}", "$share/line/plant/{source}");
    expect(problemsOf(shared)).toEqual([
      {
        line: 9,
        column: 12,
        message: expect.stringMatching(/^stations\.press\.parts: expected a topic without \$share\/, found/),
      },
    ]);
    expect(problemsOf(`${withParts}ledger: { dedupeWindowSeconds: 60 }\n`)).toEqual([
      {
        line: 9,
        column: 29,
        message: expect.stringMatching(/windowSeconds: expected at most .* which is 60, found 90/),
      },
    ]);
    expect(read(withParts).parsed).toMatchObject({
      value: { stations: { press: { parts: { windowSeconds: 90, openMax: 1000 } } } },
    });
  });

  test("says what form a name must have", () => {
    expect(problemsOf(GOOD.replace("  press:", "  press 2:"))).toEqual([
      {
        line: 5,
        column: 3,
        message: '"press 2" can be no name in stations; expected text that matches ^[A-Za-z0-9_-]{1,64}$',
      },
    ]);
  });

  describe("a station that sheds", () => {
    const SHEDS = GOOD.replace("    frames:", "    overload: shed-oldest\n    frames:");

    test("needs a broker that sends more than may wait, or nothing would ever be shed", () => {
      const [problem, ...others] = problemsOf(SHEDS);
      expect(others).toEqual([]);
      expect(problem).toMatchObject({ line: 6, message: expect.stringContaining("found 1000 and 1000") });
      expect(problem?.message).toContain("lower intake.backlogMax.frames to 500");
    });

    test("is content with twice as much", () => {
      const { parsed } = read(`${SHEDS}intake:\n  backlogMax: { frames: 500 }\n`);
      expect(parsed.ok && parsed.value.intake.backlogMax).toEqual({ frames: 500, bytes: 134_217_728 });
    });

    test.each([
      ["hold", 1000, 300, 300],
      ["hold", 100, 300, 100],
      ["shed-oldest", 1000, 300, 1000],
    ])(
      "where it is %s, window %i and backlog %i, the broker is told %i",
      (overload, window, frames, told) => {
        const text = SHEDS.replace("shed-oldest", overload).replace(
          "stations:",
          `  receiveMaximum: ${window}\nstations:`,
        );
        const { parsed } = read(`${text}intake:\n  backlogMax: { frames: ${frames} }\n`);
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
        expect(receiveMaximumOf(parsed.value)).toBe(told);
      },
    );
  });

  test("lists every problem at once, each where it stands", () => {
    const problems = problemsOf(`${GOOD.replace("[raw]", "[gif]")}http:\n  port: 99999\n`);
    expect(problems.map((p) => [p.line, p.message.split(":")[0]])).toEqual([
      [8, "stations.press.frames.encodings.0"],
      [12, "http.port"],
    ]);
    expect(problems[0]?.message).toContain('"raw", "png", "jpeg", "json"');
  });

  test("says what a missing member is called and where it belongs", () => {
    const problems = problemsOf(GOOD.replace("  url: mqtt://127.0.0.1:1883\n", "  protocol: auto\n"));
    expect(problems).toEqual([{ line: 3, column: 3, message: 'broker: "url" is missing' }]);
  });

  test("places a YAML error", () => {
    const [problem] = problemsOf("gateway: [a\nbroker: }\n");
    expect(problem?.line).toBeGreaterThan(0);
    expect(problem?.message).not.toBe("");
  });

  test("looks whether known frames can be read, and takes their path from its own folder", () => {
    const known = GOOD.replace("    bundle:", "    knownFrames: { from: nowhere.npz }\n    bundle:");
    expect(problemsOf(known)).toMatchObject([
      {
        message: expect.stringMatching(
          /^stations\.press\.knownFrames\.from: cannot read \/.*\/nowhere\.npz: ENOENT/,
        ),
      },
    ]);
  });

  test.each([
    ["the broker's address", GOOD.replace("mqtt://127", "mqtt://me:secret@127"), 3],
    ["one that is wrong besides", GOOD.replace("mqtt://127", "tcp://me:se/cret@127"), 3],
    ["one that is no address", GOOD.replace("mqtt://127.0.0.1:1883", "mqtt://me:secret@:x"), 3],
    ["the address for people", `${GOOD}http: { publicUrl: "https://me:secret@hall-2" }\n`, 11],
    ["a strange one", `${GOOD}http: { publicUrl: "ftp://me:secret@hall-2" }\n`, 11],
  ])("refuses credentials in %s, and does not show them", (_, text, line) => {
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ line });
    expect(problem?.message).not.toMatch(/secret|cret/);
  });

  test("a file that is not there is one clear problem", () => {
    const parsed = readConfig("/nowhere/sekisho.yaml", {});
    expect(parsed).toMatchObject({ ok: false, problems: [{ file: "/nowhere/sekisho.yaml", line: 1 }] });
  });

  test("a credential of systemd's is not missed by a check from outside, and is by the service itself", () => {
    const file = "/run/credentials/sekisho.service/secret_password";
    const text = GOOD.replace("broker:", `broker:\n  passwordFile: ${file}`);
    expect(read(text).parsed.ok).toBe(true);
    const asService = { CREDENTIALS_DIRECTORY: "/run/credentials/sekisho.service" };
    expect(problemsOf(text, asService)).toEqual([
      expect.objectContaining({ line: 3, message: expect.stringContaining(`cannot read ${file}`) }),
    ]);
  });

  test("SEKISHO_ variables set single values of the right type", () => {
    const environment = {
      SEKISHO_HTTP_PORT: "9000",
      SEKISHO_LOG_LEVEL: "warn",
      SEKISHO_BROKER_KEEPALIVE_SECONDS: "10",
    };
    const { parsed } = read(GOOD, environment);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.value.http.port).toBe(9000);
    expect(parsed.value.log.level).toBe("warn");
    expect(parsed.value.broker.keepaliveSeconds).toBe(10);
  });

  test("an unknown SEKISHO_ variable names the nearest one, and a wrong value is refused like any other", () => {
    expect(problemsOf(GOOD, { SEKISHO_HTTP_PROT: "1" })[0]?.message).toContain("SEKISHO_HTTP_PORT");
    expect(problemsOf(GOOD, { SEKISHO_HTTP_PORT: "many" })[0]?.message).toContain(
      'expected integer, found "many" (set by the environment variable SEKISHO_HTTP_PORT)',
    );
    expect(problemsOf(GOOD, { SEKISHO_BROKER_URL: "mqtt://" })[0]?.message).toMatch(
      /names no host.* \(set by the environment variable SEKISHO_BROKER_URL\)$/,
    );
    expect(problemsOf(GOOD.replace("mqtt://127.0.0.1:1883", "x"))[0]?.message).not.toContain("environment");
  });
});

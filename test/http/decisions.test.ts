/** Decisions over real HTTP: looked through by what is asked for, and taken away as a file that harms nobody. */

import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DecisionView } from "../../src/http/api-schemas.ts";
import { without, writeUsers } from "../../src/http/auth/users-file.ts";
import { csvLine } from "../../src/http/decisions/csv.ts";
import { anHttpWorld, type HttpWorld } from "../support/http.ts";

let world: HttpWorld;
let startMs: number;

const none = { review: undefined } as const;
beforeAll(async () => {
  world = await anHttpWorld();
  startMs = world.clock.nowMs();
  world.frames({ ...none, id: "a", source: "cam-1", className: "good" });
  await world.clock.pass(60_000);
  world.frames({ ...none, id: "b", source: "cam-2", className: "bad" });
  await world.clock.pass(60_000);
  world.frames({ ...none, id: "=cmd()", source: "cam-1", className: "bad" });
  world.frames({
    id: "audit",
    identified: false,
    part: "p-9",
    frames: 1,
    pi: 0.05,
    priority: 0.5,
    className: "zinnia",
  });
});
afterAll(() => world.end());

const at = (minutes: number): string => new Date(startMs + 60_000 * minutes).toISOString();
const frames = async (query: string): Promise<string[]> => {
  const { json, text } = await world.askAs("viewer", `/api/decisions?${query}`);
  expect(json.decisions, text).toBeDefined();
  return json.decisions.map(({ frame }: { frame: string }) => frame);
};

describe("decisions are looked through", () => {
  test.each<[string, () => string, string[]]>([
    ["by source", () => "source=cam-1", ["=cmd()", "a"]],
    ["by class", () => "class=bad", ["=cmd()", "b"]],
    ["from a time on", () => `from=${at(1)}`, ["=cmd()", "b"]],
    ["until a time", () => `to=${at(1)}`, ["a"]],
    ["between two times", () => `from=${at(1)}&to=${at(2)}`, ["b"]],
    ["by several at once", () => `class=bad&source=cam-1&station=press`, ["=cmd()"]],
    ["by what is nowhere", () => "reason=nothing", []],
    ["by a part whose audit waits, in vain", () => "part=p-9", []],
    ["by a class that only an audit has, in vain", () => "class=zinnia", []],
    ["before there were any", () => "to=1960-01-01T00:00Z", []],
    ["after all there are", () => "from=2101-01-01T00:00:00.5Z", []],
  ])("%s", async (_, query, expected) => {
    expect(await frames(query())).toEqual(expected);
  });

  test.each([
    "from=yesterday",
    "from=2026-13-45T99:99Z",
    "decision=maybe",
    "sourc=cam-1",
    "class=",
    "to=2026-01-01",
  ])("but not by %s", async (query) => {
    for (const path of [`decisions?${query}`, `decisions/export?format=csv&${query}`]) {
      const { status, json } = await world.askAs("viewer", `/api/${path}`);
      expect([status, json.error.code]).toEqual([400, "malformed"]);
    }
  });
});

describe("an export", () => {
  const get = (query: string) => world.askAs("viewer", `/api/decisions/export?${query}`);

  test("in CSV has a fixed header, and no cell that a spreadsheet would run", async () => {
    const { text, headers } = await get("format=csv&station=press");
    const lines = text.split("\r\n");
    expect(lines[0]).toBe(
      "id,at,station,source,frame,part,decision,reason,would,class,confidence,score,lambda,bandLow,bandHigh,mode,revision",
    );
    expect(lines.slice(1, -1).map((line) => line.split(",")[4])).toEqual(["'=cmd()", "b", "a"]);
    expect(lines.at(-1)).toBe("");
    expect(headers).toMatchObject({
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-disposition": 'attachment; filename="decisions-press.csv"',
      "x-content-type-options": "nosniff",
    });
  });

  test("in NDJSON has the decisions as they are listed, and none of an audit that waits", async () => {
    const { text } = await get("format=ndjson");
    const { decisions } = (await world.askAs("viewer", "/api/decisions")).json;
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(decisions);
    expect(text).not.toContain("zinnia");
  });

  test("has only what is asked for, and nothing where there is nothing", async () => {
    expect((await get(`format=ndjson&class=good`)).text.trim().split("\n")).toHaveLength(1);
    expect((await get("format=ndjson&class=nothing")).text).toBe("");
    expect((await get("format=csv&class=nothing")).text.split("\r\n")).toHaveLength(2);
  });

  test.each(["format=xml", "", "format=csv&limit=5"])("is refused with %j", async (query) => {
    expect((await get(query)).status).toBe(400);
  });

  test("is nobody's without a session", async () => {
    expect((await world.ask("/api/decisions/export?format=csv")).status).toBe(401);
  });
});

test.each([
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["＝1", "'＝1"],
  [" =1", "' =1"],
  ['=HYPERLINK("http://evil")', `"'=HYPERLINK(""http://evil"")"`],
  ["a,b", '"a,b"'],
  ["plain", "plain"],
  ["寸法-不良", "寸法-不良"],
])("the cell %j is written %s", (text, cell) => {
  const decision = { id: 1, at: "t", station: "press", source: "s", frame: "f", class: text } as DecisionView;
  expect(csvLine(decision).split(",").slice(9).join(",")).toBe(`${cell},,,,,,,\r\n`);
});

describe("a long export", () => {
  const BATCH = 128;
  const many = (w: HttpWorld, batches: number): void => {
    for (let b = 0; b < batches; b++)
      w.frames(
        ...Array.from({ length: BATCH }, (_, i) => ({ ...none, id: `f-${b}-${i}`, source: `cam-${b}-${i}` })),
      );
  };

  test("is whole, in pages too, in small slices with others served in between", async () => {
    const large = await anHttpWorld();
    many(large, 12);
    const all = (await large.askAs("viewer", "/api/decisions/export?format=ndjson")).text.trim().split("\n");
    const ids = all.map((line) => JSON.parse(line).id);
    expect(ids).toEqual(Array.from({ length: 12 * BATCH }, (_, i) => 12 * BATCH - i));
    const page = (await large.askAs("viewer", "/api/decisions?limit=500")).json;
    expect([page.decisions.length, page.next]).toEqual([500, 12 * BATCH - 499]);
    const rare = (await large.askAs("viewer", "/api/decisions?source=cam-0-0")).json;
    expect([rare.decisions.length, rare.next]).toEqual([1, undefined]);
    await large.end();
  });

  /** An export that has no end by itself; resolves at its first bytes. */
  function anEndless(w: HttpWorld): Promise<{ readonly leave: () => void; readonly ended: Promise<void> }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${w.tokens.viewer}` };
      const path = `${w.origin}/api/decisions/export?format=ndjson`;
      const asked = request(path, { agent: false, headers }, (response) => {
        response.on("error", () => {}); // Broken off.
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
        const ended = new Promise<void>((done) => response.once("close", done));
        response.once("data", () => resolve({ leave: () => asked.destroy(), ended }));
      });
      asked.on("error", reject);
      asked.end();
    });
  }
  const ENDLESS = { lookBack: () => ({ decisions: [{ id: 7 } as DecisionView], next: 7 }) };
  test("gives its place to another when nobody waits for it any more", async () => {
    const busy = await anHttpWorld({ api: ENDLESS });
    const status = async () =>
      (await busy.askAs("viewer", "/api/decisions/export?format=csv&from=2000-01-01T00:00Z")).status;
    const two = [await anEndless(busy), await anEndless(busy)];
    expect(await status()).toBe(503);
    for (const { leave, ended } of two) {
      leave();
      await ended;
    }
    // The server hears of it a moment later.
    await expect
      .poll(async () => {
        try {
          const one = await anEndless(busy);
          one.leave();
          return "room";
        } catch {
          return "none";
        }
      })
      .toBe("room");
    await busy.end();
  });

  test("is broken off when its token is withdrawn", async () => {
    const busy = await anHttpWorld({ api: ENDLESS });
    const { ended } = await anEndless(busy);
    writeUsers(busy.usersFile, without(busy.users, "machine-viewer")!);
    await busy.clock.pass(1000);
    await ended;
    await busy.end();
  });
});

/**
 * Nobody is told of an audit what the student said, by any way out of the gateway, before it is answered: alert, update and
 * alarm, API, live events, command line and export. Afterwards they are.
 */

import { mkdtempSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openResolvedReviews } from "../../src/ledger/resolved-reviews.ts";
import { sekisho } from "../support/cli.ts";
import { aDeskWorld, type Told } from "../support/desk.ts";
import { anHttpWorld, type HttpWorld } from "../support/http.ts";
import { HANAKO } from "../support/reviews.ts";

/** What the student said, in numbers and words that nothing else here has. */
const SAID = {
  className: "zinnia",
  lambda: 0.1917171,
  prediction: {
    ...{ classIndex: 987_654, confidence: 0.8761234, score: 0.1231234 },
    ...{ bandLow: 0.8141234, bandHigh: 0.9561234, novelty: 1.7771234 },
  },
};
/** In full, or as a person would read them. */
const FORBIDDEN = [
  ...["zinnia", "987654", "1917171", "8761234", "1231234", "8141234", "9561234", "7771234"],
  ...["0.88", "0.12", "0.19", "0.81", "0.96", "faithful", '"pass"', "passed"],
];

function expectBlind(text: string, where: string): void {
  expect(text.length, where).toBeGreaterThan(0);
  for (const word of FORBIDDEN) expect(text, `${where} tells ${word}`).not.toContain(word);
}

const AN_AUDIT = { ...SAID, pi: 0.05, priority: 0.5 } as const;

let world: HttpWorld;
let tokenFile: string;
beforeAll(async () => {
  world = await anHttpWorld();
  tokenFile = join(mkdtempSync(join(tmpdir(), "sekisho-blind-")), "token");
  writeFileSync(tokenFile, `${world.tokens.reviewer}\n`, { mode: 0o600 });
});
afterAll(() => world.end());

const cli = (...args: string[]) =>
  sekisho(["review", ...args, "--url", world.origin], { SEKISHO_TOKEN_FILE: tokenFile });

/** An audit of a part, with the rows of its frames before it. */
function anAudit(id: string): string {
  const held = { ...SAID, part: `part-${id}`, partCount: 2, source: id };
  world.frames({ id: `${id}-1`, ...held, review: undefined }, { id: `${id}-2`, ...held, review: undefined });
  world.frames({ ...AN_AUDIT, id, identified: false, source: id, part: `part-${id}`, frames: 2, held: true });
  return `r-${id}`;
}

const audits = { api: "", cli: "", blind: "" };

describe("while an audit waits", () => {
  test("its alert, its updates and the live events do not tell", async () => {
    const heard = new Promise<string>((resolve, reject) => {
      let text = "";
      const headers = { authorization: `Bearer ${world.tokens.reviewer}` };
      const request = get(`${world.origin}/api/events`, { agent: false, headers }, (response) => {
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
          if (text.includes("listening")) started();
          if (text.includes('"type":"update"')) {
            request.destroy();
            resolve(text);
          }
        });
        response.on("error", () => {});
      });
      request.on("error", reject);
    });
    let started = (): void => {};
    await new Promise<void>((resolve) => {
      started = resolve;
    });
    audits.blind = anAudit("blind");
    await world.clock.pass(61_000);
    const events = await heard;
    expectBlind(events, "a live event");
    expect(events).toContain("What is this?");
    const told = world.told.filter(({ review }) => review === audits.blind);
    expect(told.map(({ type }) => type)).toEqual(["open", "update"]);
    for (const one of told) expectBlind(JSON.stringify(one), one.type);
    expect(told[0]).toMatchObject({
      ...{
        reason: "audit",
        decision: "review",
        class: null,
        classIndex: null,
        confidence: null,
        score: null,
      },
      ...{
        lambda: null,
        band: null,
        part: "part-blind",
        frames: 2,
        text: expect.stringMatching(/^What is this\?/),
      },
    });
  });

  test("the API does not tell: neither its lists nor the review, nor the decision that it is of", async () => {
    audits.api = anAudit("api");
    world.frames({ id: "other", source: "other", className: "tulip" });
    for (const path of ["/api/reviews", "/api/reviews?reason=audit", `/api/reviews/${audits.api}`]) {
      const { status, text } = await world.askAs("engineer", path);
      expect(status).toBe(200);
      expectBlind(text, path);
    }
    const { json, text } = await world.askAs("engineer", "/api/decisions?limit=500");
    expectBlind(text, "/api/decisions");
    expect(json.decisions.map(({ class: name }: { class: string }) => name)).toEqual(["tulip"]);
    expectBlind(JSON.stringify(world.desk.show(audits.api)), "the desk");
  });

  test("the command line does not tell", async () => {
    audits.cli = anAudit("cli");
    const list = await cli("list", "--reason", "audit");
    expect(list.stdout).toContain(audits.cli);
    expectBlind(list.stdout, "review list");
    const show = await cli("show", audits.cli, "--no-frame");
    expect(show.stdout).toContain("What is this?");
    expectBlind(show.stdout, "review show");
    expectBlind((await cli("show", audits.cli, "--json")).stdout, "review show --json");
  });

  test("no refusal tells: confirm and correct are no answers to it, whichever class they name", async () => {
    for (const body of [
      { verdict: "confirm" },
      { verdict: "correct", class: "good" },
      { verdict: "correct", class: "zinnia" },
      { verdict: "label" },
      { verdict: "label", class: "rose" },
    ]) {
      const path = `/api/reviews/${audits.api}/verdict`;
      const { status, text, json } = await world.askAs("reviewer", path, {
        method: "POST",
        body: { reviewRevision: world.desk.show(audits.api)!.revision, ...body },
      });
      expect(status).toBe(422);
      expectBlind(text, JSON.stringify(body));
      if (body.verdict !== "label") expect(json.error.code).toBe("verdict-not-expected");
    }
    const refused = await cli("resolve", audits.cli, "confirm");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("expected label with a class, or unusable, found confirm");
    expectBlind(refused.stderr, "review resolve confirm");
  });

  test("the export has nothing of it", () => {
    const resolved = openResolvedReviews(world.path);
    expect(resolved.list({ station: undefined, sinceMs: 0 })).toEqual([]);
    expect(resolved.read(audits.api)).toBeUndefined();
    resolved.close();
  });
});

describe("once an audit is answered", () => {
  test("all that was kept back is told, and a part that passed wrongly raises an alarm", async () => {
    const { revision } = world.desk.show(audits.api)!;
    const { status, json } = await world.askAs("reviewer", `/api/reviews/${audits.api}/verdict`, {
      method: "POST",
      body: { reviewRevision: revision, verdict: "label", class: "bad" },
    });
    expect(status).toBe(200);
    const shown = await world.askAs("viewer", `/api/reviews/${audits.api}`);
    expect(shown.json).toMatchObject({ class: "zinnia", verdict: "label", verdictClass: "bad" });
    expect(shown.json.reviewRevision).toBe(json.reviewRevision);
    expect(world.told.filter(({ review }) => review === audits.api).slice(-2)).toMatchObject([
      { type: "close", verdict: "label", class: "bad", reviewRevision: revision + 1 },
      {
        ...{
          type: "alarm",
          reviewRevision: revision + 2,
          passedAs: "zinnia",
          class: "bad",
          part: "part-api",
        },
        text: "Urgent: a part that passed was found wrong. part part-api (frame api) of api passed as zinnia; machine-reviewer says bad. Find it and take it out.",
      },
    ]);
    const { json: page } = await world.askAs("viewer", "/api/decisions?source=api");
    expect(page.decisions.map(({ decision }: { decision: string }) => decision)).toEqual([
      "pass",
      "held",
      "held",
    ]);
    expect(world.ledger.audits.find(audits.api)!.person).toMatchObject({ kind: "answered", bad: true });
    expect(world.ledger.verifyChain()).toBeUndefined();
  });

  test("the same answer again gives the same reply, and raises no second alarm", async () => {
    const before = world.told.length;
    const { revision } = world.desk.show(audits.api)!;
    const { status, json } = await world.askAs("reviewer", `/api/reviews/${audits.api}/verdict`, {
      method: "POST",
      body: { reviewRevision: 1, verdict: "label", class: "bad" },
    });
    expect([status, json.reviewRevision]).toEqual([200, revision]);
    expect(world.told).toHaveLength(before);
  });
});

describe("an answer to an audit", () => {
  const opened = (is: object = {}) => {
    const desk = aDeskWorld();
    desk.frames({ id: "1", pi: 0.1, className: "good", auditDeadlineAtMs: 9e9, ...is });
    return desk;
  };
  const answer = { kind: "resolve", review: "r-1", reviewRevision: 1 } as const;

  test.each([
    [
      "the class that it passed as",
      { verdict: "label", class: "good" },
      true,
      { kind: "answered", bad: false },
    ],
    ["another class", { verdict: "label", class: "bad" }, true, { kind: "answered", bad: true }],
    ["that nobody can tell", { verdict: "unusable" }, true, { kind: "unanswered" }],
    ["another class, by nobody vouched for", { verdict: "label", class: "bad" }, false, { kind: "waiting" }],
  ] as const)("%s", (_, verdict, vouched, expected) => {
    const desk = opened();
    expect(desk.desk.act({ ...answer, ...verdict }, { ...HANAKO, vouched }).ok).toBe(true);
    expect(desk.ledger.audits.find("r-1")!.person).toMatchObject(expected);
    const isWrong = "bad" in expected && expected.bad;
    expect(desk.told.filter(({ type }) => type === "alarm")).toHaveLength(isWrong ? 1 : 0);
    expect(desk.counted).toEqual([verdict.verdict]);
    expect(desk.ledger.verifyChain()).toBeUndefined();
  });

  test("behind its deadline is kept, and not counted", () => {
    const desk = opened({ auditDeadlineAtMs: 1_000_000 });
    desk.desk.act({ ...answer, verdict: "label", class: "bad" }, HANAKO);
    expect(desk.ledger.audits.find("r-1")!.person).toEqual({ kind: "waiting" });
    desk.ledger.audits.expire(1_000_001);
    expect(desk.ledger.audits.find("r-1")!.person).toEqual({ kind: "unanswered" });
    expect(desk.told.map(({ type }) => type)).toEqual(["open", "close", "alarm"]);
  });

  test("that raises an alarm is whole or not at all, and the alarm leaves once, after a restart too", () => {
    const desk = opened();
    desk.desk.act({ ...answer, verdict: "label", class: "bad" }, HANAKO);
    const again = desk.restart();
    const bodies = again.ledger.alertsAfter(0, 10).map(({ body }) => (JSON.parse(body) as Told).type);
    expect(bodies).toEqual(["open", "close", "alarm"]);
    expect(again.desk.show("r-1")).toMatchObject({
      state: "resolved",
      className: "good",
      verdictClass: "bad",
    });
    expect(again.ledger.verifyChain()).toBeUndefined();
  });

  test("is asked for in words that say nothing of the part, in both languages", () => {
    for (const language of ["en", "ja"] as const) {
      const desk = aDeskWorld({ language });
      desk.frames({ id: "1", pi: 0.1, ...SAID, held: true });
      expectBlind(desk.desk.show("r-1")!.text, language);
    }
  });
});

test("a review that expires unanswered does not say that its part was not passed", () => {
  const desk = aDeskWorld({ unresolvedMax: 10 });
  for (let n = 0; n < 12; n++) desk.frames({ id: `${n}`, pi: 0.1, ...SAID });
  const expired = desk.desk.list({ states: ["expired"], limit: 50 }).reviews;
  expect(expired.length).toBeGreaterThan(0);
  for (const { text } of expired) expect(text).toMatch(/^Expired: .*nobody has answered\.$/);
});

/** `sekisho review` at a terminal: reviews listed, shown, claimed and answered over the HTTP API. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Finished, sekisho } from "../support/cli.ts";
import { anHttpWorld, type HttpWorld } from "../support/http.ts";

let world: HttpWorld;
let folder: string;
beforeAll(async () => {
  world = await anHttpWorld();
  folder = mkdtempSync(join(tmpdir(), "sekisho-review-"));
  for (const [role, token] of Object.entries(world.tokens)) aFile(role, `${token}\n`);
});
afterAll(() => world.end());

function aFile(name: string, text: string, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode });
  return file;
}

const as = (role: string, ...args: string[]): Promise<Finished> =>
  sekisho(["review", ...args, "--url", world.origin], { SEKISHO_TOKEN_FILE: join(folder, role) });
const asReviewer = (...args: string[]): Promise<Finished> => as("reviewer", ...args);

describe("a review", () => {
  test("is listed, shown, claimed, given back and answered; the desk has who it was", async () => {
    world.frames({ id: "life", source: "life", score: 0.5 });
    const list = await as("viewer", "list", "--source", "life");
    expect(list.stdout.split("\n")[0]).toMatch(
      /^review +state +station +source +reason +class +sure +waits$/,
    );
    expect(list.stdout).toMatch(/^r-life +open +press +life +score +good +0\.90 +\d+ d$/m);

    const show = await as("viewer", "show", "r-life");
    expect(show.stdout.startsWith(world.desk.show("r-life")!.text.slice(0, 40))).toBe(true);
    expect(show.stdout).toMatch(
      /^student +good, 0\.90 sure\nteacher +0\.85 to 0\.95 sure of frames like this$/m,
    );
    expect(show.stdout).toContain("its frame is not drawn: not-an-image (4 bytes of image/png)");

    expect(await asReviewer("claim", "r-life")).toEqual(done("r-life is yours to answer\n"));
    expect(world.desk.show("r-life")).toMatchObject({ state: "claimed", claimedBy: "machine-reviewer" });
    expect((await as("viewer", "list", "--source", "life")).stdout).toMatch(/claimed .*machine-reviewer$/m);
    expect(await asReviewer("release", "r-life")).toEqual(done("r-life is given back: open\n"));
    expect(await asReviewer("resolve", "r-life", "correct", "--class", "bad")).toEqual(
      done("r-life is resolved: correct bad\n"),
    );
    expect(world.desk.show("r-life")).toMatchObject({
      ...{ state: "resolved", verdict: "correct", verdictClass: "bad" },
      ...{ reviewer: "machine-reviewer", vouched: true },
    });
    const after = await as("viewer", "show", "r-life", "--no-frame");
    expect(after.stdout).toMatch(/^verdict +correct bad\nreviewer +machine-reviewer\nclosed /m);
    expect(after.stdout).not.toContain("frame is");
    expect((await as("viewer", "list", "--source", "life")).stdout).toBe(
      "no review is waiting that this asks for\n",
    );
  });

  test("comes as one JSON document for programs, its frame's bytes in it", async () => {
    world.frames(
      { id: "json-1", source: "json", priority: 2 },
      { id: "json-2", source: "json", priority: 1 },
    );
    const first = JSON.parse(
      (await as("viewer", "list", "--source", "json", "--limit", "1", "--json")).stdout,
    );
    expect(first.reviews).toMatchObject([{ review: "r-json-1", reviewRevision: 1 }]);
    const next = await as("viewer", "list", "--source", "json", "--after", first.next, "--json");
    expect(JSON.parse(next.stdout)).toMatchObject({ reviews: [{ review: "r-json-2" }] });
    expect(JSON.parse((await as("viewer", "show", "r-json-1", "--json")).stdout)).toMatchObject({
      review: { review: "r-json-1", station: "press" },
      keptFrame: { contentType: "image/png", bytes: 4, base64: "AAAAAA==" },
    });
    const answer = await asReviewer("resolve", "r-json-1", "confirm", "--revision", "1", "--json");
    expect(JSON.parse(answer.stdout)).toEqual({ review: "r-json-1", reviewRevision: 2, state: "resolved" });
  });
});

describe("refused, with status 1 and nothing done:", () => {
  beforeAll(() => world.frames({ id: "kept", source: "kept" }));
  const url = (): string[] => ["--url", world.origin];
  const token = (): string[] => ["--token-file", join(folder, "reviewer")];

  test.each<[string, () => string[], RegExp]>([
    ["no token", () => ["list", ...url()], /--token-file, or in SEKISHO_TOKEN_FILE/],
    [
      "a token that others can read",
      () => ["list", ...url(), "--token-file", aFile("open", "abc", 0o644)],
      /open: others may read this token; chmod 600 it/,
    ],
    [
      "a file that is no token",
      () => ["list", ...url(), "--token-file", aFile("words", "not a token")],
      /words: expected a token as/,
    ],
    [
      "a token that nobody made",
      () => ["list", ...url(), "--token-file", aFile("wrong", "sekisho_wrong")],
      /log in, or send a token that is in force \(unauthenticated\)/,
    ],
    [
      "a viewer's verdict",
      () => ["resolve", "r-kept", "confirm", ...url(), "--token-file", join(folder, "viewer")],
      /this takes a reviewer; machine-viewer is a viewer \(forbidden\)/,
    ],
    [
      "a token in the clear beyond this machine",
      () => ["list", "--url", "http://gateway.plant:8477", ...token()],
      /http:\/\/gateway\.plant:8477: a token must not travel in the clear/,
    ],
    [
      "an address that is more than one",
      () => ["list", "--url", "http://127.0.0.1/api", ...token()],
      /--url: expected no more than/,
    ],
    [
      "an address where nothing listens",
      () => ["list", "--url", "http://127.0.0.1:1", ...token()],
      /127\.0\.0\.1:1: no answer from a gateway: nothing listens there; is it running\?/,
    ],
    [
      "a configuration that names no port",
      () => {
        const stations = "{a: {frames: {topic: 'a/{source}', encodings: [raw]}, bundle: b, thresholds: t}}";
        const text = `gateway: g\nbroker: {url: "mqtt://127.0.0.1"}\nstations: ${stations}\nhttp: {port: 0}\n`;
        return ["list", "--config", aFile("c.yaml", text), ...token()];
      },
      /c\.yaml: http\.port is 0, .* name the address with --url/,
    ],
    [
      "a review that there is not",
      () => ["show", "r-none", ...url(), ...token()],
      /there is no review r-none \(unknown-review\)/,
    ],
    ["a name that climbs", () => ["show", "../session", ...url(), ...token()], /\(malformed\)/],
    [
      "a verdict on a revision that is not",
      () => ["resolve", "r-kept", "confirm", "--revision", "7", ...url(), ...token()],
      /\(stale-revision\)/,
    ],
    [
      "a revision that is no number",
      () => ["claim", "r-kept", "--revision", "x", ...url(), ...token()],
      /--revision: expected the revision that .*, found "x"/,
    ],
    [
      "an unknown class",
      () => ["resolve", "r-kept", "label", "--class", "ugly", ...url(), ...token()],
      /\(unknown-class\)/,
    ],
    ["an unknown state", () => ["list", "--state", "lost", ...url(), ...token()], /\(malformed\)/],
  ])("%s", async (_, args, words) => {
    const before = world.state();
    const { status, stdout, stderr } = await sekisho(["review", ...args()]);
    expect(stderr).toMatch(words);
    expect([status, stdout, stderr.split("\n").length]).toEqual([1, "", 2]);
    expect(world.state()).toEqual(before);
  });

  test("an unknown verdict is wrong usage", async () => {
    const { status, stderr } = await asReviewer("resolve", "r-kept", "maybe");
    expect([status, stderr]).toEqual([2, expect.stringMatching(/confirm, correct, label, unusable/)]);
  });

  test("what answers and is no gateway", async () => {
    const other = createServer((_, response) =>
      response.writeHead(302, { location: "http://evil" }).end("<html>"),
    );
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const { status, stderr } = await sekisho([
      "review",
      "list",
      "--url",
      `http://127.0.0.1:${port}`,
      ...token(),
    ]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("answered 302, which is not how a gateway"),
    ]);
  });
});

const done = (stdout: string): Finished => ({ status: 0, stdout, stderr: "" });

/** `ledger verify`, and the head that it is given: what is published, and how soon. */

import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { publishHead } from "../../src/commands/published-head.ts";
import { headText, parseHead } from "../../src/ledger/published-head.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aJudged } from "../support/builders.ts";
import { sekisho } from "../support/cli.ts";
import { aFullLedger, type FullLedger } from "../support/full-ledger.ts";
import { aRealLedger } from "../support/ledger.ts";

describe("`ledger verify`", () => {
  let full: FullLedger;
  beforeAll(() => {
    full = aFullLedger();
  });

  test("says what a whole ledger holds and where it ends", async () => {
    const head = headText(full.published.at(-1)!.head);
    const { status, stdout } = await sekisho(["ledger", "verify", "--ledger", full.path, "--json"]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ledger: full.path, acts: 24, head, headsFound: 0 });
    const earlier = headText(full.published.at(-3)!.head);
    const told = await sekisho(["ledger", "verify", "--ledger", full.path, "--head", earlier, head]);
    expect(told.stdout).toMatch(
      /from batch \d+ on as it was written: .*leads to all 2 heads published; it ends at\n/,
    );
    expect(told.stdout).toContain(head);
  });

  test("finds a tampered one and a truncated one, and says where", async () => {
    const copy = `${full.path}-edited`;
    copyFileSync(full.path, copy);
    const db = new Database(copy);
    db.exec(
      "UPDATE decisions SET decision = 'pass' WHERE decision = 'review' AND id = (SELECT max(id) FROM decisions WHERE decision = 'review')",
    );
    db.close();
    const edited = await sekisho(["ledger", "verify", "--ledger", copy]);
    expect(edited).toMatchObject({ status: 1, stdout: "" });
    expect(edited.stderr).toMatch(
      /is not as it was written; batch \d+: its hash does not match\. Keep the file/,
    );

    const older = full.published.at(-5)!.copy;
    expect((await sekisho(["ledger", "verify", "--ledger", older])).status).toBe(0);
    const head = headText(full.published.at(-1)!.head);
    const truncated = await sekisho(["ledger", "verify", "--ledger", older, "--head", head]);
    expect(truncated).toMatchObject({ status: 1, stderr: expect.stringMatching(/what was between is gone/) });
  });

  test("takes the ledger from the configuration, and refuses what is no ledger and no head", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sekisho-verify-"));
    const config = join(folder, "sekisho.yaml");
    writeFileSync(
      config,
      `gateway: test
broker: { url: "mqtt://127.0.0.1:1" }
stations:
  press: { frames: { topic: "press/{source}", encodings: [raw] }, bundle: bundle, thresholds: press.json }
ledger: { path: ${full.path} }
`,
    );
    expect((await sekisho(["ledger", "verify", "--config", config])).status).toBe(0);
    const nowhere = await sekisho(["ledger", "verify", "--ledger", join(folder, "none")]);
    expect(nowhere).toMatchObject({ status: 1, stderr: expect.stringMatching(/there is no ledger/) });
    const noHead = await sekisho(["ledger", "verify", "--ledger", full.path, "--head", "abc@1"]);
    expect(noHead).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/--head: expected 64 hex digits/),
    });
  });

  test("verifies beside a gateway that writes on", async () => {
    const path = `${full.path}-running`;
    copyFileSync(full.path, path);
    const ledger = aRealLedger({ path });
    ledger.append([aJudged({ id: "while it runs" })]); // In the log only, not in the file yet.
    const { stdout } = await sekisho(["ledger", "verify", "--ledger", path, "--json"]);
    expect(JSON.parse(stdout).head).toBe(headText(ledger.chainHead()));
    ledger.append([aJudged({ id: "and after" })]);
    expect(ledger.verifyChain()).toBeUndefined();
  });
});

describe("the head that is published", () => {
  function aPublisher() {
    const now = { ms: 0 };
    const ledger = aRealLedger();
    const clock = { nowMs: () => now.ms, monotonicMs: () => now.ms, after: () => () => {} };
    const head = publishHead(ledger, clock);
    let frames = 0;
    const judge = (): void => void ledger.append([aJudged({ id: `f-${frames++}` })]);
    return { now, ledger, head, judge, own: () => headText(ledger.chainHead()) };
  }

  test("is another once a minute, and not with each batch", () => {
    const { now, head, judge, own } = aPublisher();
    const first = head.current();
    expect(parseHead(first)).toEqual({ seq: 0, sha256: "0".repeat(64) });
    judge();
    now.ms = 59_999;
    expect(head.current()).toBe(first);
    now.ms = 60_000;
    const second = head.current();
    expect(second).toBe(own());
    expect(second).not.toBe(first);
    judge();
    now.ms = 119_999;
    expect(head.current()).toBe(second);
    now.ms = 120_000;
    expect(head.current()).toBe(own());
  });

  test("is another at once after an act, and when the gateway stops", () => {
    const { ledger, head, judge, own } = aPublisher();
    head.current();
    judge();
    ledger.acts.append([{ station: "press", kind: "revision", revision: 1, atMs: 0, body: "{}" }]);
    expect(head.current()).toBe(own());
    judge();
    expect(head.current()).not.toBe(own());
    head.renew();
    expect(head.current()).toBe(own());
  });
});

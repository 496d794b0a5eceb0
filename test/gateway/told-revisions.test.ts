/** Operators are told of thresholds that nothing proves: until the broker has it, and again after a restart. */

import { describe, expect, test } from "vitest";
import { revisionMessage } from "../../src/commands/kept-told-revisions.ts";
import type { ActRow, Message, PublishFailed } from "../../src/gateway/ports.ts";
import { tellRevisions } from "../../src/gateway/told-revisions.ts";

function aRevision(revision: number, certified: boolean): ActRow {
  const body = { certified, persons: ["aki"], document: { revision, why: "too many escapes" } };
  return {
    ...{ seq: 10 + revision, station: "press", kind: "revision", revision, atMs: 1_000_000 },
    body: JSON.stringify(body),
  };
}

function aTeller(acts: readonly ActRow[]) {
  const sent: Message[] = [];
  const due: (() => void)[] = [];
  let failure: PublishFailed["failure"] | undefined;
  let connected = (): void => {};
  const nothing = (): void => {};
  const newest = () => [...acts].reverse();
  const teller = tellRevisions({
    stations: ["press"],
    acts: { latest: () => acts.at(-1), list: ({ limit }) => newest().slice(0, limit) },
    publisher: {
      onConnect(listener) {
        connected = listener;
      },
      publish(message, done) {
        if (failure === undefined) sent.push(message);
        done(failure && Object.assign(new Error(failure), { failure }));
      },
    },
    message: (act) => revisionMessage("base/reviews/press", "a", act, "en"),
    clock: {
      ...{ nowMs: () => 0, monotonicMs: () => 0 },
      after(_, call) {
        due.push(call);
        return nothing;
      },
    },
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
  teller.start();
  return {
    told: () => sent.map(({ payload }) => JSON.parse(String(payload)) as Record<string, unknown>),
    sent,
    round: () => due.splice(0).forEach((call) => void call()),
    connects: () => connected(),
    fails(with_: PublishFailed["failure"] | undefined) {
      failure = with_;
    },
    close: teller.close,
  };
}

describe("thresholds that nothing proves", () => {
  test("are told once, with who and why, and so are those that end it", () => {
    const acts = [aRevision(1, true)];
    const teller = aTeller(acts);
    expect(teller.told()).toEqual([]);
    acts.push(aRevision(2, false));
    teller.round();
    teller.round();
    expect(teller.told()).toEqual([
      {
        ...{ type: "thresholds", thresholds: "press-thresholds-a-12", station: "press", revision: 2 },
        ...{ certified: false, persons: ["aki"], why: "too many escapes", at: "1970-01-01T00:16:40.000Z" },
        text: expect.stringMatching(/not certified/),
      },
    ]);
    acts.push(aRevision(3, true), aRevision(4, true));
    teller.round();
    acts.push(aRevision(5, true));
    teller.round();
    acts.push(aRevision(6, false), aRevision(7, true));
    teller.round();
    acts.push(aRevision(8, true));
    teller.round();
    expect(teller.told().map(({ revision, certified }) => [revision, certified])).toEqual([
      [2, false],
      [4, true],
      [7, true],
    ]);
  });

  test.each(["offline", "lost", "full", "refused"] as const)(
    "are told again where the broker is %s",
    (failure) => {
      const teller = aTeller([aRevision(2, false)]);
      const [first] = teller.sent;
      const again = aTeller([aRevision(2, false)]);
      expect(again.sent).toEqual([first]); // After a restart: the same bytes.
      const acts = [aRevision(1, true)];
      const later = aTeller(acts);
      acts.push(aRevision(2, false));
      later.fails(failure);
      later.round();
      expect(later.sent).toEqual([]);
      later.fails(undefined);
      later.connects();
      later.round();
      expect(later.sent).toEqual([first]);
    },
  );

  test("are told in Japanese where the plant speaks it", () => {
    const { payload } = revisionMessage("t", "a", aRevision(2, false), "ja");
    expect(String(payload)).toMatch(/保証されていません/);
    expect(String(revisionMessage("t", "a", aRevision(3, true), "ja").payload)).toMatch(/再び保証/);
  });

  test("are not looked for once it is closed", () => {
    const acts = [aRevision(1, true)];
    const teller = aTeller(acts);
    teller.close();
    acts.push(aRevision(2, false));
    teller.round();
    teller.connects();
    expect(teller.sent).toEqual([]);
  });
});

import { expect, test } from "vitest";
import { admit, expectAgain } from "../../src/gateway/backlog.ts";
import { aStation, type Taken } from "../../src/gateway/station.ts";
import { suspect } from "../../src/gateway/suspects.ts";
import { aFrame, aRule } from "../support/builders.ts";

function anEmptyStation() {
  return aStation({
    name: "press",
    match: () => undefined,
    encodings: ["raw"],
    sources: undefined,
    frameBytesMax: 1000,
    overload: "hold",
    parts: undefined,
    framesPerPartMax: 1,
    engine: { judge: async () => [] },
    classes: ["good", "bad"],
    bundle: "b".repeat(64),
    rule: aRule(),
    reviewDeadlineMs: 1000,
  });
}

function aTaken(ticket: number, bytes: number): Taken {
  const frame = aFrame({ id: "same", payload: new Uint8Array(bytes) });
  return {
    ...{ ticket, frame, encoding: "raw", reject: undefined, isNamed: true },
    ...{ takenAtMs: 0, comesAgain: true, suspicion: 0 },
  };
}

test("what is known against a frame goes over to its next delivery, and its bytes do not count twice", () => {
  const station = anEmptyStation();
  const first = aTaken(1, 10);
  admit(station, first);
  suspect([first], "strong");
  expectAgain(station);
  admit(station, aTaken(2, 12));
  expect(station.waiting).toMatchObject([{ ticket: 2, suspicion: first.suspicion }]);
  expect(first.suspicion).toBeGreaterThan(0);
  expect(station.waitingBytes).toBe(12);
});

test("without a resumed session, a second frame with an id waits beside the first", () => {
  const station = anEmptyStation();
  admit(station, aTaken(1, 10));
  admit(station, aTaken(2, 10));
  expect(station.waiting.map(({ ticket }) => ticket)).toEqual([1, 2]);
});

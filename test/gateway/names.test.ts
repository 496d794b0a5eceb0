/** What a frame is called: by its message's properties, else by its payload, else by its topic. */

import { expect, test } from "vitest";
import type { FrameMembers } from "../../src/core/frame.ts";
import type { Delivery, Outcome } from "../../src/gateway/ports.ts";
import { aPrediction } from "../support/builders.ts";
import { aWorld, turn } from "../support/world.ts";

/** The record of a frame whose topic says `t`, and whose payload and properties say this. */
async function recordOf(members: FrameMembers | undefined, properties: Partial<Delivery>) {
  const world = await aWorld({ match: (topic) => ({ source: topic, valid: true, frame: "t" }) });
  world.judge = async (frames) =>
    frames.map(
      (): Outcome => ({
        kind: "prediction",
        prediction: aPrediction(),
        ...(members && { members }),
      }),
    );
  world.deliver(1, { frameId: undefined, ...properties });
  await turn();
  return world.ledger.records[0];
}

test.each([
  ["its properties", { id: "payload" }, { frameId: "property" }, "property"],
  ["its payload", { id: "payload" }, {}, "payload"],
  ["its topic", { part: "p" }, {}, "t"],
  ["its topic", undefined, {}, "t"],
])("a frame is named by %s", async (_, members, properties, id) => {
  expect(await recordOf(members, properties)).toMatchObject({ frame: id });
});

test("its part is what its properties say, else its payload", async () => {
  expect(await recordOf({ part: "payload" }, { partId: "property" })).toMatchObject({ part: "property" });
  expect(await recordOf({ part: "payload" }, {})).toMatchObject({ part: "payload" });
});

test("a frame named by its payload alone is known when it comes again", async () => {
  const world = await aWorld();
  world.judge = async (frames) =>
    frames.map((): Outcome => ({ kind: "prediction", prediction: aPrediction(), members: { id: "a" } }));
  world.deliver(1, { frameId: undefined });
  await turn();
  world.deliver(2, { frameId: undefined });
  await turn();
  expect(world.ledger.records.map(({ frame }) => frame)).toEqual(["a"]);
  expect(world.counted).toEqual(["pass faithful", "redelivered"]);
});

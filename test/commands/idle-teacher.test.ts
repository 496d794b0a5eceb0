/** A gateway's own teacher is there to be asked while no frame waits, and at no other time. */

import { expect, test } from "vitest";
import { createIdleTeacher } from "../../src/commands/teacher-worker/idle.ts";

test("it is there to be asked once somebody listens, and only while no frame waits", async () => {
  let isIdle = true;
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const { publisher, replies, close } = createIdleTeacher({ bundles: () => [], isIdle: () => isIdle, log });
  expect(publisher.connected).toBe(false);
  await replies.start(
    () => {},
    () => {},
  );
  expect(publisher.connected).toBe(true);
  isIdle = false;
  expect(publisher.connected).toBe(false);
  isIdle = true;
  await close();
  expect(publisher.connected).toBe(false);
});

/** Clearing a red monitor: whose word counts, with trusted keys and without. */

import { describe, expect, test, vi } from "vitest";
import { clearMonitor } from "../../src/commands/clear-monitor.ts";
import type { StationSetup } from "../../src/commands/station-setup.ts";
import { CLEARING_TYPE } from "../../src/core/monitor-clearing.ts";
import { sign } from "../../src/signing/dsse.ts";
import { aPerson } from "../support/keys.ts";

const DOCUMENT = {
  ...{ station: "press", redSince: "2026-11-25T08:00:00.000Z", why: "the lens was cleaned" },
  ground: { kind: "audit", parts: 299, unfaithful: 0 } as const,
};
const hanako = aPerson("hanako");
const stranger = aPerson("stranger");
const thresholds = { alpha: 0.01, eta: 0.05, envelope: "a".repeat(64) };
const station = (trust: StationSetup["trust"]) => ({ name: "press", thresholds, trust }) as StationSetup;
const TRUSTING = station({ keys: [hanako.trusted], bundles: "any" });
const signed = (document: unknown, by = hanako, type = CLEARING_TYPE) =>
  sign(type, Buffer.from(JSON.stringify(document)), by.signing);

describe("clearing a monitor", () => {
  test("counts those who signed, not who hands it in", () => {
    const clear = vi.fn(() => undefined);
    const body = signed(DOCUMENT);
    expect(clearMonitor({ clear }, TRUSTING, body, "carrier")).toBeUndefined();
    const inForce = { station: "press", ...thresholds };
    expect(clear).toHaveBeenCalledWith("press", { ...DOCUMENT, persons: ["hanako"] }, inForce, body);
  });

  test("counts who hands it in where no keys are trusted", () => {
    const clear = vi.fn(() => undefined);
    expect(clearMonitor({ clear }, station(undefined), DOCUMENT, "mori")).toBeUndefined();
    expect(clear.mock.lastCall).toContainEqual({ ...DOCUMENT, persons: ["mori"] });
  });

  test.each([
    ["unsigned", DOCUMENT, /expected a signed/],
    ["signed by a stranger", signed(DOCUMENT, stranger), /does not name/],
    ["signed as something else", signed(DOCUMENT, hanako, "application/json"), /expected a signed/],
    ["signed, and no clearing", signed({ station: "press" }), /is no clearing/],
  ])("is refused where it is %s", (_, body, reason) => {
    const clear = vi.fn(() => undefined);
    expect(clearMonitor({ clear }, TRUSTING, body, "carrier")).toMatch(reason);
    expect(clear).not.toHaveBeenCalled();
  });
});

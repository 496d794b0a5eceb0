import { describe, expect, test } from "vitest";
import { type AttemptOutcome, negotiateVersion } from "../../src/mqtt/protocol-version.ts";

type Broker = (version: 5 | 4) => AttemptOutcome;

const speaksBoth: Broker = () => "accepted";
const says31Only: Broker = (version) => (version === 4 ? "accepted" : "version-refused");
const drops5: Broker = (version) => (version === 4 ? "accepted" : "no-answer");
const says5Only: Broker = (version) => (version === 5 ? "accepted" : "version-refused");
const stillStarting: Broker = () => "no-answer";
const unreachable: Broker = () => "other";

/** Tries until a connection is used, or so often, and tells what was tried and how it went on. */
function connectTo(negotiation: ReturnType<typeof negotiateVersion>, broker: Broker, attempts = 6): string {
  const steps: string[] = [];
  for (let i = 0; i < attempts; i++) {
    const { version } = negotiation;
    const next = negotiation.after(broker(version));
    steps.push(`${version} ${next}`);
    if (next === "use") break;
  }
  return steps.join(", ");
}

describe("auto", () => {
  test("uses MQTT 5 where it works", () => {
    expect(connectTo(negotiateVersion("auto"), speaksBoth)).toBe("5 use");
  });

  test("goes to 3.1.1 at once where the broker says so, and remembers it", () => {
    const negotiation = negotiateVersion("auto");
    expect(connectTo(negotiation, says31Only)).toBe("5 retry, 4 use");
    expect(connectTo(negotiation, says31Only)).toBe("4 use");
  });

  test("asks a broker that drops MQTT 5 once more, and remembers it", () => {
    const negotiation = negotiateVersion("auto");
    expect(connectTo(negotiation, drops5)).toBe("5 retry, 4 probe, 5 retry, 4 use");
    expect(connectTo(negotiation, drops5)).toBe("4 use");
  });

  test("does not lose MQTT 5 to a broker that is still starting", () => {
    const negotiation = negotiateVersion("auto");
    expect(connectTo(negotiation, stillStarting, 3)).toBe("5 retry, 4 wait, 5 retry");
    expect(connectTo(negotiation, speaksBoth)).toBe("4 probe, 5 use");
    expect(connectTo(negotiation, speaksBoth)).toBe("5 use");
  });

  test("alternates with a wait for each pair while nothing answers", () => {
    expect(connectTo(negotiateVersion("auto"), stillStarting, 5)).toBe(
      "5 retry, 4 wait, 5 retry, 4 wait, 5 retry",
    );
  });

  test("keeps the version while the broker cannot be reached", () => {
    const negotiation = negotiateVersion("auto");
    expect(connectTo(negotiation, unreachable, 2)).toBe("5 wait, 5 wait");
    connectTo(negotiation, says31Only);
    expect(connectTo(negotiation, unreachable, 2)).toBe("4 wait, 4 wait");
  });

  test("follows a broker that is exchanged for another", () => {
    const negotiation = negotiateVersion("auto");
    connectTo(negotiation, says31Only);
    expect(connectTo(negotiation, says5Only)).toBe("4 retry, 5 use");
    expect(connectTo(negotiation, drops5)).toBe("5 retry, 4 probe, 5 retry, 4 use");
  });

  test("a probe that does not reach the broker proves nothing", () => {
    const negotiation = negotiateVersion("auto");
    expect(connectTo(negotiation, drops5, 2)).toBe("5 retry, 4 probe");
    expect(connectTo(negotiation, unreachable, 1)).toBe("5 wait");
    expect(connectTo(negotiation, stillStarting, 2)).toBe("5 retry, 4 wait");
    expect(connectTo(negotiation, speaksBoth)).toBe("5 use");
  });
});

test.each([
  ["5", says31Only, "5 wait, 5 wait"],
  ["5", speaksBoth, "5 use"],
  ["3.1.1", speaksBoth, "4 use"],
  ["3.1.1", says5Only, "4 wait, 4 wait"],
] as const)("a fixed %s stays (%#)", (protocol, broker, steps) => {
  expect(connectTo(negotiateVersion(protocol), broker, 2)).toBe(steps);
});

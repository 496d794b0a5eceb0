/** Finds out which MQTT version a broker speaks, without being locked out by it and without losing MQTT 5 by accident. */
import type { ProtocolVersion } from "./packets.ts";

/** How one attempt to connect went. */
export type AttemptOutcome =
  /** CONNACK with success. */
  | "accepted"
  /** CONNACK 1 or 0x84. */
  | "version-refused"
  /** The connection was made and ended without a CONNACK; some brokers answer a version they don't know so. */
  | "no-answer"
  /** Nothing was learned about versions: not reachable, not authorised, busy. */
  | "other";

export interface Negotiation {
  /** What to try next. */
  readonly version: ProtocolVersion;
  /**
   * @returns `use` the accepted connection; `retry` at once with the other version; `wait` before the next
   * attempt; `probe`: leave this 3.1.1 connection and see at once whether MQTT 5 works by now
   */
  after(outcome: AttemptOutcome): "use" | "retry" | "wait" | "probe";
}

/**
 * MQTT 5 first, then 3.1.1, alternating; what worked is remembered.
 *
 * A connection that ends without an answer proves nothing: a port forwarder before a broker that is still
 * starting looks the same as a broker that drops MQTT 5. Staying with 3.1.1 on that ground would lose frame ids
 * until the next restart. So the first time that 3.1.1 works after MQTT 5 got no answer, MQTT 5 is tried once
 * more while the broker is known to be up.
 */
export function negotiateVersion(protocol: "auto" | "5" | "3.1.1"): Negotiation {
  let version: ProtocolVersion = protocol === "3.1.1" ? 4 : 5;
  if (protocol !== "auto") {
    return { version, after: (outcome) => (outcome === "accepted" ? "use" : "wait") };
  }
  // Whether 3.1.1 is known to be all that the broker speaks: it said so, or it dropped the probe as well.
  let only4 = false;
  let probing = false;
  let retried = false;

  const turn = (): "retry" | "wait" => {
    version = version === 5 ? 4 : 5;
    retried = !retried;
    return retried ? "retry" : "wait";
  };
  const accepted = (): "use" | "probe" => {
    retried = false;
    if (version === 4 && !only4) {
      probing = true;
      version = 5;
      return "probe";
    }
    if (version === 5) only4 = false;
    probing = false;
    return "use";
  };
  return {
    get version() {
      return version;
    },
    after(outcome) {
      if (outcome === "accepted") return accepted();
      if (outcome === "other") {
        retried = false;
        probing = false;
        return "wait";
      }
      if (version === 5) only4 = outcome === "version-refused" || probing;
      probing = false;
      return turn();
    },
  };
}

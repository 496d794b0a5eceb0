/** What happens on the broker connections, as log lines: each thing that stands in the way once, with what to do. */

import type { Clock, Log } from "../gateway/ports.ts";
import type { IntakeEvent } from "../mqtt/intake.ts";
import type { PublisherEvent } from "../mqtt/publisher.ts";
import { adviceOn } from "./broker-advice.ts";

/** Which of the gateway's connections, or a teacher's. */
type Name = "intake" | "publisher" | "control" | "answers" | "teacher";
type BrokerEvent = IntakeEvent | PublisherEvent;

/** What stands in the way is told again after so long. */
const REMIND_MS = 600_000;

/** One line for what keeps several connections away, and none for each time that it is tried again. */
export interface BrokerEvents {
  of(connection: Name): (event: BrokerEvent) => void;
  /** Why the broker is not there for one of the connections; undefined where it is, or is not tried yet. */
  trouble(): string | undefined;
}

/** @param changed called when `trouble` may say something else */
export function brokerEvents(
  log: Log,
  clock: Pick<Clock, "monotonicMs">,
  changed: () => void = () => {},
): BrokerEvents {
  const standing = new Map<Name, string>();
  const toldAtMs = new Map<string, number>();

  function stands(connection: Name, reason: string | undefined): void {
    const before = standing.get(connection);
    if (before === reason) return;
    if (reason === undefined) standing.delete(connection);
    else standing.set(connection, reason);
    if (before !== undefined && ![...standing.values()].includes(before)) toldAtMs.delete(before);
    changed();
  }
  /** Whether it is new, or was told long ago. */
  function isToBeTold(connection: Name, reason: string): boolean {
    const atMs = toldAtMs.get(reason);
    const nowMs = clock.monotonicMs();
    stands(connection, reason);
    if (atMs !== undefined && nowMs - atMs < REMIND_MS) return false;
    toldAtMs.set(reason, nowMs);
    return true;
  }

  return {
    trouble: () => [...standing.values()][0],
    of: (connection) => (event) => {
      const { kind, ...fields } = event;
      const line = { connection, ...fields };
      switch (kind) {
        case "connected":
          stands(connection, undefined);
          return log.info(line, "connected to the broker");
        case "closed":
          return log.info(line, "connection closed");
        case "connect-failed": {
          // Tried again at once, by the other version: the broker is being learned, and nothing stands in the way yet.
          if (event.retryInMs === 0) return log.debug(line, "cannot connect to the broker; trying again");
          const trouble = `not connected to the broker: ${event.reason}`;
          const level = isToBeTold(connection, trouble) ? "warn" : "debug";
          const advice = adviceOn(event.reason);
          return log[level]({ ...line, advice }, "cannot connect to the broker; trying again");
        }
        case "connection-lost":
          return log.warn(line, "the connection to the broker was lost; connecting again");
        case "subscription-refused": {
          const level = isToBeTold(connection, event.problem) ? "error" : "debug";
          const advice = "allow it in the broker's access list (docs/mosquitto.acl)";
          return log[level]({ ...line, advice }, "the broker refuses a subscription; asking again");
        }
        case "subscribed":
          stands(connection, undefined);
          return log.info(line, "the broker grants the subscriptions now");
        case "final-messages-lost":
          return log.warn(line, "the last messages could not be published");
        case "retained-dropped":
          return log.debug(line, "a retained frame is an old one; acknowledged and dropped");
        case "property-ignored":
          return log.debug(line, "a property of the message is not usable and was ignored");
        case "paused-dropped":
          return log.debug(line, "a frame came while leaving; at QoS 1 the broker delivers it again");
        case "left":
          return log.warn(line, "too much waits; left the broker until there is room again");
        case "backlog-full":
          return log.debug(line, "the backlog is full; reading pauses");
        case "window-full":
          return log.debug(line, "as many frames as allowed wait for their acknowledgement; reading pauses");
        default:
          return unreachable(kind);
      }
    },
  };
}

function unreachable(kind: never): never {
  throw new Error(`no such event: ${String(kind)}`);
}

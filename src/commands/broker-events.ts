/** What happens on a broker connection, as log lines. */

import type { Log } from "../gateway/ports.ts";
import type { IntakeEvent } from "../mqtt/intake.ts";
import type { PublisherEvent } from "../mqtt/publisher.ts";

/** @param connection which of the gateway's connections, or a teacher's */
export function logBrokerEvents(
  log: Log,
  connection: "intake" | "publisher" | "control" | "answers" | "teacher",
): (event: IntakeEvent | PublisherEvent) => void {
  return ({ kind, ...fields }) => {
    const line = { connection, ...fields };
    switch (kind) {
      case "connected":
        return log.info(line, "connected to the broker");
      case "closed":
        return log.info(line, "connection closed");
      case "connect-failed":
        return log.warn(line, "cannot connect to the broker; trying again");
      case "connection-lost":
        return log.warn(line, "the connection to the broker was lost; connecting again");
      case "subscription-refused":
        return log.error(line, "the broker refuses a subscription");
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
  };
}

function unreachable(kind: never): never {
  throw new Error(`no such event: ${String(kind)}`);
}

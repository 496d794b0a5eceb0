/** Subscribes to the frames' topics, and says which of them the broker refuses. */
import { type ErrorWithSubackPacket, ReasonCodes } from "mqtt";
import type { Link } from "./attempt.ts";
import type { ProtocolVersion } from "./packets.ts";

/** @param done called with a problem that names the filters, or with none; not at all if the connection goes first */
export function subscribe(
  link: Link,
  filters: readonly string[],
  done: (problem: string | undefined) => void,
): void {
  const { client, version } = link;
  // rh 2: no retained messages, which 3.1.1 cannot say.
  client.subscribe([...filters], { qos: 1, rh: 2 }, (error, _asked, packet) => {
    const granted = packet?.granted ?? (error as ErrorWithSubackPacket | null)?.packet?.granted;
    if (granted === undefined && client.connected) return done(`cannot subscribe: ${error?.message}`);
    if (granted === undefined) return;
    const refused = filters.flatMap((filter, i) => {
      const code = Number(granted[i]);
      if (code === 1) return [];
      return [`${filter} (${code === 0 ? "granted at QoS 0 only" : refusal(code, version)})`];
    });
    done(refused.length === 0 ? undefined : `the broker refuses to subscribe to ${refused.join(", ")}`);
  });
}

function refusal(code: number, version: ProtocolVersion): string {
  const text = version === 5 ? (ReasonCodes as Record<number, string>)[code] : undefined;
  return text ?? "no reason given";
}

/** What mosquitto's own log says of the frames: which it took, saved, delivered to the gateway, and was acknowledged. */

export interface BrokerJournal {
  /** Takes the log as it comes. */
  readonly read: (text: string) => void;
  /** The broker is gone without a word: what it took since it last saved it may have forgotten. */
  killed(): void;
  /** Frames that the broker may have forgotten when it was killed. */
  readonly forgettableFrames: ReadonlySet<string>;
  /** How many of the gateway's own messages it may have forgotten. */
  readonly forgettableMessages: number;
  /** Frames sent to the gateway. */
  readonly delivered: ReadonlySet<string>;
  /** Frames that the gateway has acknowledged. */
  readonly acknowledged: ReadonlySet<string>;
  /** The frame of each packet sent to the gateway, in order: an id of a packet is used again once acknowledged. */
  readonly sent: readonly { readonly packetId: number; readonly frame: string }[];
}

const LINES: readonly (readonly [what: "taken" | "sent" | "puback" | "saved", pattern: RegExp])[] = [
  ["taken", /Received PUBLISH from (\S+) \(d\d, q\d, r\d, m\d+, '([^']+)'/],
  ["sent", /Sending PUBLISH to (\S+) \(d\d, q\d, r\d, m(\d+), '([^']+)'/],
  ["puback", /Received PUBACK from (\S+) \(Mid: (\d+)/],
  ["saved", /Saving in-memory database/],
];

/** @param gateway begins the client ids of the gateway's connections, such as `sekisho-test` */
export function aBrokerJournal(gateway: string): BrokerJournal {
  const intake = `${gateway}-intake`;
  const forgettableFrames = new Set<string>();
  const delivered = new Set<string>();
  const acknowledged = new Set<string>();
  const sent: { packetId: number; frame: string }[] = [];
  const openFrames = new Map<string, string>();
  let framesSinceSave = new Set<string>();
  let messagesSinceSave = 0;
  let forgettableMessages = 0;
  let rest = "";

  function note(line: string): void {
    for (const [what, pattern] of LINES) {
      const found = pattern.exec(line);
      if (found === null) continue;
      const [, client, second = "", topic = ""] = found;
      if (what === "taken" && client!.startsWith(gateway)) messagesSinceSave++;
      else if (what === "taken") framesSinceSave.add(frameOf(second));
      else if (what === "sent" && client === intake) deliver(second, frameOf(topic));
      else if (what === "puback" && client === intake) acknowledged.add(openFrames.get(second) ?? "");
      else if (what === "saved") {
        framesSinceSave = new Set();
        messagesSinceSave = 0;
      }
    }
  }

  function deliver(packetId: string, frame: string): void {
    delivered.add(frame);
    openFrames.set(packetId, frame);
    sent.push({ packetId: Number(packetId), frame });
  }

  return {
    read(text) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) note(line);
    },
    killed() {
      for (const frame of framesSinceSave) forgettableFrames.add(frame);
      forgettableMessages += messagesSinceSave;
    },
    forgettableFrames,
    get forgettableMessages() {
      return forgettableMessages;
    },
    delivered,
    acknowledged,
    sent,
  };
}

function frameOf(topic: string): string {
  return topic.slice(topic.lastIndexOf("/") + 1);
}

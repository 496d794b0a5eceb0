/** Stands between a client and its broker: records every packet, holds some back, cuts the line. */
import { createRequire } from "node:module";
import { createServer, connect as netConnect, type Socket } from "node:net";
import type { IClientOptions, Packet } from "mqtt";
import { anEventLog, type EventLog } from "./event-log.ts";

interface Recorded {
  readonly from: "client" | "broker";
  /** Number of the connection, from 1. */
  readonly connection: number;
  readonly packet: Packet;
}

export interface RecordingProxy {
  readonly url: string;
  readonly packets: EventLog<Recorded>;
  /** From now on nothing of the broker's reaches the client; it is still recorded. */
  muteBroker(): void;
  /** Cuts every connection, and mutes no longer. */
  cut(): void;
  close(): Promise<void>;
}

interface Parser {
  on(event: "packet", listener: (packet: Packet) => void): void;
  parse(bytes: Buffer): void;
}

/** The parser that mqtt.js itself uses. */
const { parser } = createRequire(createRequire(import.meta.url).resolve("mqtt"))("mqtt-packet") as {
  parser(options: Pick<IClientOptions, "protocolVersion">): Parser;
};

/** Reads packets as they come. A CONNECT says which version the rest is in. */
export function packetReader(
  protocolVersion: 4 | 5,
  onPacket: (packet: Packet) => void,
): (bytes: Buffer) => void {
  const reader = parser({ protocolVersion });
  reader.on("packet", onPacket);
  return (bytes) => reader.parse(bytes);
}

export async function aRecordingProxy(brokerPort: number): Promise<RecordingProxy> {
  const packets = anEventLog<Recorded>();
  const sockets = new Set<Socket>();
  let muted = false;
  let connections = 0;
  const server = createServer((client) => {
    const connection = ++connections;
    const broker = netConnect(brokerPort, "127.0.0.1");
    let readBroker: ((bytes: Buffer) => void) | undefined;
    const readClient = packetReader(4, (packet) => {
      if (packet.cmd === "connect") {
        const version = packet.protocolVersion === 5 ? 5 : 4;
        readBroker = packetReader(version, (answer) => {
          packets.push({ from: "broker", connection, packet: answer });
        });
      }
      packets.push({ from: "client", connection, packet });
    });
    client.on("data", (bytes) => {
      broker.write(bytes);
      readClient(bytes);
    });
    broker.on("data", (bytes) => {
      if (!muted) client.write(bytes);
      readBroker?.(bytes);
    });
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => to.destroy());
      from.on("end", () => to.end());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    muted = false;
  };
  return {
    url: `mqtt://127.0.0.1:${port}`,
    packets,
    muteBroker() {
      muted = true;
    },
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

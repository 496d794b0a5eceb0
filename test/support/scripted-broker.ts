/** A broker that does what a test says, packet by packet: for answers that no real broker gives on demand. */
import { createRequire } from "node:module";
import { createServer, type Socket } from "node:net";
import type { IClientOptions, Packet } from "mqtt";
import { onTestFinished } from "vitest";
import { anEventLog, type EventLog } from "./event-log.ts";
import { packetReader } from "./recording-proxy.ts";

const { generate } = createRequire(createRequire(import.meta.url).resolve("mqtt"))("mqtt-packet") as {
  generate(packet: Packet, options: Pick<IClientOptions, "protocolVersion">): Buffer;
};

type ConnectPacket = Extract<Packet, { cmd: "connect" }>;

export interface ScriptedBroker {
  readonly url: string;
  readonly connects: EventLog<ConnectPacket>;
  readonly packets: EventLog<Packet>;
}

export interface Line {
  readonly version: 4 | 5;
  /** Number of the connection, from 1. */
  readonly connection: number;
  send(packet: Packet): void;
  sendBytes(bytes: Buffer): void;
  /** Reads nothing more, so that the client's writes back up. */
  stopReading(): void;
  hangUp(): void;
}

/** Answers CONNECT, SUBSCRIBE, PUBLISH, PINGREQ and DISCONNECT as a broker does, unless the script returns true. */
export async function aScriptedBroker(
  script: (packet: Packet, line: Line) => boolean | undefined,
): Promise<ScriptedBroker> {
  const connects = anEventLog<ConnectPacket>();
  const packets = anEventLog<Packet>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    const connection = ++connections;
    let version: 4 | 5 = 4;
    const line = {
      get version() {
        return version;
      },
      connection,
      send: (packet: Packet) => void socket.write(generate(packet, { protocolVersion: version })),
      sendBytes: (bytes: Buffer) => void socket.write(bytes),
      stopReading: () => void socket.pause(),
      hangUp: () => socket.destroy(),
    };
    // A version that the parser takes from the CONNECT itself.
    const read = packetReader(4, (packet) => {
      if (packet.cmd === "connect") {
        version = packet.protocolVersion === 5 ? 5 : 4;
        connects.push(packet);
      }
      packets.push(packet);
      if (script(packet, line) !== true) answer(packet, line);
    });
    socket.on("data", read);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  );
  return { url: `mqtt://127.0.0.1:${port}`, connects, packets };
}

function answer(packet: Packet, line: Line): void {
  const { messageId } = packet;
  if (packet.cmd === "connect") line.send(connack(line));
  else if (packet.cmd === "publish" && packet.qos === 1) line.send({ cmd: "puback", messageId: messageId! });
  else if (packet.cmd === "pingreq") line.send({ cmd: "pingresp" });
  else if (packet.cmd === "disconnect") line.hangUp();
  else if (packet.cmd === "subscribe") {
    line.send({ cmd: "suback", messageId: messageId!, granted: packet.subscriptions.map(() => 1) });
  }
}

/** A CONNACK in the line's version. */
export function connack(line: Line, code = 0, properties?: object): Packet {
  const answer = { cmd: "connack", sessionPresent: false } as const;
  return line.version === 5
    ? { ...answer, reasonCode: code, ...(properties ? { properties } : {}) }
    : { ...answer, returnCode: code };
}

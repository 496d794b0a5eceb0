/**
 * A broker within the process, for trying things out where none is installed.
 * It speaks MQTT 3.1.1 only, keeps nothing over a restart and acknowledges before it stores: not for a plant.
 */
import { createServer, type Socket } from "node:net";
import { Aedes } from "aedes";

export interface EmbeddedBroker {
  readonly url: string;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** @throws Error if the port is taken; port 0 takes a free one. Anybody who reaches the host may connect. */
export async function startEmbeddedBroker({ host = "127.0.0.1", port = 0 } = {}): Promise<EmbeddedBroker> {
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.setNoDelay(true);
    broker.handle(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`no port on ${host}`);
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `mqtt://${name}:${address.port}`,
    async close() {
      const serverClosed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(resolve));
      // Those that never said CONNECT are unknown to the broker.
      for (const socket of sockets) socket.destroy();
      await serverClosed;
    },
  };
}

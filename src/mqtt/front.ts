/**
 * The front: stands between the broker's socket and mqtt.js, and takes frames and acknowledgements out of the bytes that
 * come.
 *
 * mqtt.js connects, negotiates, keeps alive and subscribes as ever, and never sees a PUBLISH at QoS 0 or 1, nor a PUBACK:
 * its parser makes new memory for every frame, up to twice, some 2 kB of objects for every acknowledgement, and hands
 * packets over one by one.
 */
import { connect as netConnect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { createPacketReader, PACKET_TYPE } from "./packet-reader.ts";
import type { ProtocolVersion } from "./packets.ts";
import { MalformedPacket, type PublishPacket } from "./publish-packet.ts";
import type { Slabs } from "./slabs.ts";

export interface FrontOptions {
  readonly version: ProtocolVersion;
  readonly slabs: Slabs;
  /** Nothing behind it is read until `proceed` has been called, at once or later. */
  readonly onPublish: (packet: PublishPacket, proceed: () => void) => void;
  readonly onPuback: (messageId: number, reasonCode: number) => void;
}

export interface Front {
  /** Connects by TCP, reading straight to where the frames will lie. @returns what mqtt.js takes for its socket */
  connect(port: number, host: string): Duplex;
  /** The same over a stream that brings memory of its own: TLS, or a WebSocket. */
  over(stream: Duplex): Duplex;
  /** mqtt.js has read the CONNACK, and whoever waits for frames knows of it. */
  greeted(): void;
}

export function createFront({ version, slabs, onPublish, onPuback }: FrontOptions): Front {
  let socket: Duplex | undefined;
  let outer: Duplex | undefined;
  let isGreeted = false;
  let isStopped = false;
  let isAsking = false;
  /** Chunks of a stream with its own memory that have not been read. */
  const chunks: Buffer[] = [];

  const reader = createPacketReader({
    version,
    slabs,
    onPublish(packet) {
      if (!isGreeted) throw new MalformedPacket("the broker sent a PUBLISH ahead of its CONNACK");
      isStopped = true;
      isAsking = true;
      onPublish(packet, proceed);
      isAsking = false;
      return !isStopped;
    },
    onPuback,
    onOther(type, packet) {
      outer?.push(packet);
      // mqtt.js may take its time, and a session that is resumed has its frames right behind.
      isStopped = type === PACKET_TYPE.connack && !isGreeted;
      return !isStopped;
    },
  });

  function proceed(): void {
    isStopped = false;
    if (!isAsking && reading(reader.proceed)) socket?.resume();
  }

  /** @returns whether more may be read */
  function reading(read: () => void): boolean {
    if (outer?.destroyed !== false) return false;
    try {
      read();
      for (let chunk = chunks[0]; chunk !== undefined && !isStopped; chunk = chunks[0]) {
        const count = chunk.copy(reader.room());
        if (count === chunk.length) chunks.shift();
        else chunks[0] = chunk.subarray(count);
        reader.advance(count);
      }
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      outer.destroy(error);
    }
    return !isStopped && !outer.destroyed;
  }

  function before(stream: Duplex): Duplex {
    socket = stream;
    outer = outerOf(stream);
    stream.once("end", () => outer?.push(null));
    stream.once("error", (error) => outer?.destroy(error));
    stream.once("close", () => {
      reader.close();
      outer?.destroy();
    });
    return outer;
  }

  return {
    connect(port, host) {
      return before(
        netConnect({
          port,
          host,
          onread: {
            buffer: reader.room,
            callback: (count) => reading(() => reader.advance(count)),
          },
        }),
      );
    },
    over(stream) {
      stream.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if (!reading(() => {})) stream.pause();
      });
      return before(stream);
    },
    greeted() {
      if (isGreeted) return;
      isGreeted = true;
      if (isStopped) proceed();
    },
  };
}

/** Writes to the socket, ends and goes with it; what is read from it is pushed by the front. */
function outerOf(socket: Duplex): Duplex {
  const outer = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      socket.write(chunk, done);
    },
    writev(writes, done) {
      // Together, so that what is corked here leaves in one segment there.
      socket.cork();
      for (const [i, { chunk }] of writes.entries())
        socket.write(chunk, i === writes.length - 1 ? done : undefined);
      socket.uncork();
    },
    final(done) {
      socket.end(done);
    },
    destroy(error, done) {
      if (socket.closed) return done(error);
      socket.once("close", () => done(error));
      socket.destroy();
    },
  });
  return Object.assign(outer, {
    setNoDelay: (on: boolean) => void (socket as Partial<Socket>).setNoDelay?.(on),
  });
}

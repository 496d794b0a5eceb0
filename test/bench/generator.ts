/**
 * The load generator, a process of its own: publishes frames at QoS 1 and hears the decisions.
 *
 * Saturated, it keeps a fixed number of frames undecided. In the open loop, a thread sends each frame at its
 * intended time whatever comes back, and latency counts from that time: no coordinated omission.
 */

import { connect, type Socket } from "node:net";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import {
  connectPacket,
  createReader,
  ID_DIGITS,
  publishTemplate,
  subscribePacket,
  type Template,
  writePublish,
} from "./packets.ts";

export interface GeneratorSetup {
  readonly port: number;
  /** Where frames go: PREFIX/cam-N/frames/NUMBER. */
  readonly prefix: string;
  /** Where decisions come from. */
  readonly decisions: string;
  readonly pool: readonly Uint8Array[];
}

export type GeneratorCommand =
  | ({ readonly kind: "setup" } & GeneratorSetup)
  | { readonly kind: "saturate"; readonly window: number }
  | { readonly kind: "count" }
  | { readonly kind: "stop" }
  | {
      readonly kind: "open-loop";
      readonly perSecond: number;
      readonly warmup: number;
      readonly frames: number;
    };

export interface GeneratorReport {
  readonly received: number;
  readonly sent: number;
  /** CLOCK_MONOTONIC, as in every process of the machine. */
  readonly atUs: number;
  /** Milliseconds from the intended time, sorted; of the open loop only. */
  readonly latenciesMs?: readonly number[];
}

const SOURCES = 4;
const PACKET = { connack: 2, publish: 3, suback: 9 };
const BATCH = 32;
/** How long what was sent may still be decided before it counts as lost. */
const LAST_WORD_MS = 5000;

const nowUs = (): number => Number(process.hrtime.bigint()) / 1000;

interface Connection {
  readonly socket: Socket;
  /** What to do with each PUBLISH that comes. */
  onDecision: (bytes: Buffer, start: number, end: number) => void;
  /** After each chunk. */
  onChunk: () => void;
}

function open(port: number, clientId: string, filter: string | undefined): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const connection: Connection = { socket, onDecision: () => {}, onChunk: () => {} };
    const reader = createReader((type, bytes, start, end) => {
      if (type === PACKET.publish) connection.onDecision(bytes, start, end);
      else if (type === PACKET.connack && filter !== undefined) socket.write(subscribePacket(filter));
      else if (type === PACKET.connack || type === PACKET.suback) resolve(connection);
    });
    socket.on("data", (chunk) => {
      reader(chunk);
      connection.onChunk();
    });
    socket.once("error", reject);
    socket.write(connectPacket(clientId));
  });
}

function templatesOf({ prefix, pool }: GeneratorSetup): readonly Template[] {
  return pool.map((payload, i) => publishTemplate(`${prefix}/cam-${1 + (i % SOURCES)}/frames`, payload));
}

/** Fills the window, a batch a write. */
function saturator({ socket }: Connection, templates: readonly Template[], window: number) {
  const bytesMax = BATCH * templates[0]!.bytes.length;
  const free: Buffer[] = [];
  let sent = 0;
  return {
    get sent() {
      return sent;
    },
    fill(received: number): void {
      while (sent - received <= window - BATCH) {
        const buffer = free.pop() ?? Buffer.allocUnsafeSlow(bytesMax);
        let at = 0;
        for (let i = 0; i < BATCH; i++, sent++) {
          at = writePublish(templates[sent % templates.length]!, sent, buffer, at);
        }
        socket.write(buffer, () => free.push(buffer));
      }
    },
  };
}

const FRAME_MEMBER = Buffer.from('"frame":"');

/** The number of the frame that a decision is about. */
function numberOf(bytes: Buffer, start: number): number {
  const at = bytes.indexOf(FRAME_MEMBER, start) + FRAME_MEMBER.length;
  return Number(bytes.toString("latin1", at, at + ID_DIGITS));
}

async function openLoop(
  setup: GeneratorSetup,
  connection: Connection,
  { perSecond, warmup, frames }: Extract<GeneratorCommand, { kind: "open-loop" }>,
): Promise<readonly number[]> {
  const startUs = nowUs() + 100_000;
  const stepUs = 1e6 / perSecond;
  const latenciesMs: number[] = [];
  const isHeard = new Uint8Array(frames);
  const all = new Promise<void>((resolve) => {
    connection.onDecision = (bytes, start) => {
      const number = numberOf(bytes, start);
      if (isHeard[number] !== 0) return;
      isHeard[number] = 1;
      if (number >= warmup) latenciesMs.push((nowUs() - startUs - number * stepUs) / 1000);
      if (latenciesMs.length === frames - warmup) resolve();
    };
  });
  const worker = new Worker(new URL(import.meta.url), { workerData: { setup, startUs, stepUs, frames } });
  await new Promise((resolve, reject) => worker.once("exit", resolve).once("error", reject));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, LAST_WORD_MS))]);
  return latenciesMs.sort((a, b) => a - b);
}

/** The sending thread: sleeps to the microsecond without spinning, which a timer of Node's cannot. */
async function sendOnTime(): Promise<void> {
  const { setup, startUs, stepUs, frames } = workerData as {
    setup: GeneratorSetup;
    startUs: number;
    stepUs: number;
    frames: number;
  };
  const templates = templatesOf(setup);
  const { socket } = await open(setup.port, `bench-clock-${process.pid}`, undefined);
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let number = 0; number < frames; number++) {
    const waitMs = (startUs + number * stepUs - nowUs()) / 1000;
    if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
    const template = templates[number % templates.length]!;
    const packet = Buffer.allocUnsafe(template.bytes.length);
    writePublish(template, number, packet, 0);
    socket.write(packet);
    await new Promise((resolve) => setImmediate(resolve)); // Acknowledgements are read and dropped.
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  socket.destroy();
}

async function main(): Promise<void> {
  let setup: GeneratorSetup | undefined;
  let connection: Connection | undefined;
  let load: ReturnType<typeof saturator> | undefined;
  let received = 0;
  let isStopping = false;
  const report = (more: Partial<GeneratorReport> = {}): void => {
    process.send!({ received, sent: load?.sent ?? 0, atUs: nowUs(), ...more } satisfies GeneratorReport);
  };
  process.on("message", async (command: GeneratorCommand) => {
    if (command.kind === "setup") {
      setup = command;
      connection = await open(command.port, `bench-${process.pid}`, command.decisions);
      report();
    } else if (command.kind === "saturate") {
      load = saturator(connection!, templatesOf(setup!), command.window);
      connection!.onDecision = () => received++;
      connection!.onChunk = () => !isStopping && load!.fill(received);
      load.fill(0);
      report();
    } else if (command.kind === "count") {
      report();
    } else if (command.kind === "open-loop") {
      report({ latenciesMs: await openLoop(setup!, connection!, command) });
    } else {
      isStopping = true;
      const until = nowUs() + LAST_WORD_MS * 1000;
      while (load !== undefined && received < load.sent && nowUs() < until) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      report();
      process.disconnect();
      connection?.socket.destroy();
    }
  });
  process.once("disconnect", () => process.exit());
}

if (isMainThread) await main();
else await sendOnTime();

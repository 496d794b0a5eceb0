/** Simulated cameras: real held-out frames, published over real MQTT connections. */

import { connectAsync, type MqttClient } from "mqtt";
import type { Clock } from "../../gateway/ports.ts";
import { throughFouledLens } from "./lens.ts";

export interface CameraOptions {
  readonly brokerUrl: string;
  readonly names: readonly string[];
  readonly topicOf: (source: string, frame: string) => string;
  readonly frames: readonly Uint8Array[];
  readonly width: number;
  readonly framesPerSecond: number;
  /** The camera whose lens fouls, when that begins, and how long it takes. */
  readonly fouling: { readonly camera: string; readonly afterMs: number; readonly overMs: number };
  readonly clock: Clock;
}

export interface Cameras {
  /** How fouled the lens is, 0 to 1. */
  severity(camera: string): number;
  stop(): Promise<void>;
}

/** Starts the cameras; each shows its own share of the frames, over and over. */
export async function startCameras(options: CameraOptions): Promise<Cameras> {
  const { names, frames, clock, fouling } = options;
  const startedMs = clock.monotonicMs();
  const severity = (camera: string): number => {
    if (camera !== fouling.camera) return 0;
    return Math.min(1, Math.max(0, (clock.monotonicMs() - startedMs - fouling.afterMs) / fouling.overMs));
  };
  const run = clock.nowMs().toString(36);
  const clients: MqttClient[] = [];
  const timers = await Promise.all(
    names.map(async (name, index) => {
      const client = await connectAsync(options.brokerUrl, { protocolVersion: 4, reconnectPeriod: 1000 });
      client.on("error", () => {}); // It connects again by itself; the demo shows that frames stop meanwhile.
      clients.push(client);
      let shown = 0;
      const show = (): void => {
        if (!client.connected) return;
        const frame = frames[(index + shown * names.length) % frames.length]!;
        const seen = throughFouledLens(frame, options.width, severity(name));
        client.publish(options.topicOf(name, `${run}-${shown}`), Buffer.from(seen), { qos: 1 });
        shown++;
      };
      show();
      return setInterval(show, 1000 / options.framesPerSecond);
    }),
  );
  return {
    severity,
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(clients.map((client) => client.endAsync()));
    },
  };
}

/** A gateway with the apparel bundle, as its own process, and a consumer that hears what it publishes. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectAsync, type MqttClient } from "mqtt";
import { readNpz } from "../../src/bundle/npz.ts";
import { Database } from "../../src/sqlite/database.ts";
import { type Started, startSekisho } from "./cli.ts";

export const MODELS = fileURLToPath(new URL("../../models", import.meta.url));
export const THRESHOLDS = fileURLToPath(new URL("../../thresholds", import.meta.url));

/** The demo's held-out frames, 28x28 bytes each. */
export async function apparelFrames(): Promise<readonly Uint8Array[]> {
  const arrays = await readNpz(join(MODELS, "apparel", "frames", "demo.npz"), "demo.npz");
  const { values, shape } = arrays.get("frames")!;
  return Array.from({ length: shape[0]! }, (_, i) => (values as Uint8Array).subarray(i * 784, (i + 1) * 784));
}

export interface GatewayFolder {
  readonly folder: string;
  readonly config: string;
  readonly ledger: string;
}

interface FolderSketch {
  /** Name of the gateway; "test" where left out. */
  readonly gateway?: string;
  /** Lines of the configuration's section `audits`. */
  readonly audits?: readonly string[];
  /** Lines of the station's own section. */
  readonly station?: readonly string[];
  /** Lines of the configuration's section `review`. */
  readonly review?: readonly string[];
  /** Members of the thresholds file that differ. */
  readonly thresholds?: object;
  /** Further files, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Thresholds by which every frame goes to review. */
export const ALL_TO_REVIEW = { lambda: null, classes: [] };

/** A folder with a configuration for the apparel station on this broker. */
export function aGatewayFolder(
  brokerUrl: string,
  protocol: "auto" | "5" | "3.1.1" = "auto",
  is: FolderSketch = {},
): GatewayFolder {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-gateway-"));
  const thresholds = JSON.parse(readFileSync(join(THRESHOLDS, "apparel.json"), "utf8")) as object;
  writeFileSync(join(folder, "thresholds.json"), JSON.stringify({ ...thresholds, ...is.thresholds }));
  for (const [name, text] of Object.entries(is.files ?? {}))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  const config = join(folder, "sekisho.yaml");
  writeFileSync(
    config,
    `gateway: ${is.gateway ?? "test"}
broker:
  url: ${brokerUrl}
  protocol: ${JSON.stringify(protocol)}
stations:
  apparel:
    frames:
      topic: apparel/{source}/frames/{frame}
      encodings: [raw, png, json]
      sources: [cam-1, cam-2]
      frameBytesMax: 20000
    bundle: ${MODELS}/apparel
    thresholds: thresholds.json
${(is.station ?? []).map((line) => `    ${line}\n`).join("")}ledger:
  path: test.ledger
  ballastBytes: 65536
http:
  port: 0
${is.review === undefined ? "" : ["review:", ...is.review].join("\n  ")}
${is.audits === undefined ? "" : ["audits:", ...is.audits].join("\n  ")}
`,
  );
  return { folder, config, ledger: join(folder, "test.ledger") };
}

export interface RunningGateway extends Started {
  readonly httpUrl: string;
  /** SIGTERM, and what came of it. */
  stop(): Promise<{ status: number | null; stdout: string; stderr: string }>;
  metrics(): Promise<string>;
}

/** Starts a gateway and waits until it judges frames. */
export async function aGateway(
  { config }: GatewayFolder,
  environment: Record<string, string> = {},
): Promise<RunningGateway> {
  const started = startSekisho(["run", "--config", config], environment);
  const [, httpUrl] = await started.shows(/"http":"(https?:[^"]+)"/);
  await started.shows("judging frames");
  return {
    ...started,
    httpUrl: httpUrl!,
    stop() {
      started.process.kill("SIGTERM");
      return started.finished;
    },
    metrics: async () => (await fetch(`${httpUrl}/metrics`)).text(),
  };
}

/** Sum of a counter or gauge over all its labels that match. */
export function metric(text: string, name: string, labels: RegExp = /./): number {
  return text
    .split("\n")
    .filter((line) => line.startsWith(name) && /[{ ]/.test(line[name.length] ?? "") && labels.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

export interface Heard {
  readonly topic: string;
  readonly body: Record<string, unknown>;
}

export interface Consumer {
  readonly client: MqttClient;
  readonly heard: Heard[];
  /** The first message for which this holds, heard already or to come. */
  waitFor(is: (heard: Heard) => boolean): Promise<Heard>;
  end(): Promise<void>;
}

/** Hears all that the gateway publishes. */
export async function aConsumer(brokerUrl: string): Promise<Consumer> {
  const client = await connectAsync(brokerUrl, { protocolVersion: 5 });
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  client.on("message", (topic, payload) => {
    if (topic.startsWith("sekisho/test/verdicts/")) return; // Not the gateway's.
    heard.push({ topic, body: JSON.parse(payload.toString()) as Record<string, unknown> });
    for (const look of waiting) look();
  });
  await client.subscribeAsync("sekisho/test/#", { qos: 1 });
  return {
    client,
    heard,
    waitFor: (is) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = heard.find(is);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    end: () => client.endAsync(),
  };
}

/** Rows of the ledger for a frame id. */
export function ledgerRows(ledger: string, frame: string): readonly Record<string, unknown>[] {
  const db = new Database(ledger, { readonly: true });
  try {
    return db.prepare("SELECT * FROM decisions WHERE frame = ?").all(frame) as Record<string, unknown>[];
  } finally {
    db.close();
  }
}

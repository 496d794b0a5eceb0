/** What a backup costs the decisions beside it: latencies with and without one, in turn, in one run. After a build; needs mosquitto. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connectAsync } from "mqtt";
import { readNpz } from "../dist/bundle/npz.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAIN = join(ROOT, "dist/main.js");
/** Decisions in the ledger before anything is measured, so that a backup has something to copy. */
const DECISIONS = 20_000;
const PER_SECOND = 300;
const PHASE_MS = 3_000;
const PHASES = 8;
const WINDOW = 500;

const folder = mkdtempSync(join(tmpdir(), "sekisho-backup-"));
const children = [];
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});

/** Starts a program, and waits for a line of its output. */
function started(command, args, line) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on("line", (text) => line.test(text) && resolve(child));
    }
    child.once("exit", (status) => reject(new Error(`${command} ended with ${status}`)));
  });
}

function backup(to) {
  const child = spawn(process.execPath, [MAIN, "backup", "--config", config, "--to", to], {
    stdio: "ignore",
  });
  return new Promise((resolve) => child.once("exit", resolve));
}

const mosquitto = [
  `listener ${port} 127.0.0.1`,
  "allow_anonymous true",
  "log_dest stderr",
  "set_tcp_nodelay true",
];
writeFileSync(
  join(folder, "mosquitto.conf"),
  [...mosquitto, "max_inflight_messages 1000", "max_queued_messages 0", "user root", ""].join("\n"),
);
const thresholds = join(folder, "thresholds.json");
writeFileSync(thresholds, readFileSync(join(ROOT, "thresholds/apparel.json")));
const config = join(folder, "sekisho.yaml");
writeFileSync(
  config,
  `gateway: test
broker: { url: "mqtt://127.0.0.1:${port}", protocol: "5" }
stations:
  apparel:
    frames: { topic: "apparel/{source}/frames/{frame}", encodings: [raw] }
    bundle: ${ROOT}models/apparel
    thresholds: thresholds.json
ledger: { path: test.ledger }
http: { port: 0 }
`,
);

const print = (line) => process.stdout.write(`${line}\n`);
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

process.once("SIGTERM", () => {
  for (const child of children.reverse()) child.kill("SIGKILL");
  process.exit(1);
});
try {
  await started("mosquitto", ["-c", join(folder, "mosquitto.conf")], /running/);
  await started(process.execPath, [MAIN, "run", "--config", config], /judging frames/);
  const frames = (await readNpz(join(ROOT, "models/apparel/frames/demo.npz"), "demo.npz")).get("frames");
  const frame = (i) =>
    Buffer.from(frames.values.subarray((i % frames.shape[0]) * 784, ((i % frames.shape[0]) + 1) * 784));
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
  const sentAtMs = new Map();
  let heard = (_) => {};
  client.on("message", (topic) => heard(topic));
  await client.subscribeAsync("sekisho/test/decisions/#", { qos: 1 });
  let sent = 0;
  const send = (source) => {
    const id = `${sent++}`;
    sentAtMs.set(id, performance.now());
    client.publish(`apparel/${source}/frames/${id}`, frame(sent), { qos: 1 });
  };
  await new Promise((resolve) => {
    let decided = 0;
    heard = () => (++decided === DECISIONS ? resolve() : sent < DECISIONS && send("fill"));
    for (let i = 0; i < WINDOW; i++) send("fill");
  });

  const latencies = { without: [], during: [] };
  const phases = { without: [], during: [] };
  let backups = 0;
  for (let phase = 0; phase < PHASES; phase++) {
    const kind = phase % 2 === 0 ? "without" : "during";
    const own = [];
    let isOver = false;
    const copying =
      kind === "during" &&
      (async () => {
        while (!isOver) {
          await backup(join(folder, `copy-${backups++}`));
          rmSync(join(folder, `copy-${backups - 1}`), { recursive: true, force: true });
        }
      })();
    client.removeAllListeners("message");
    client.on("message", (_, payload) => {
      const { frame: id } = JSON.parse(payload.toString());
      own.push(performance.now() - sentAtMs.get(id));
      sentAtMs.delete(id);
    });
    const begunAtMs = performance.now();
    const first = sent;
    await new Promise((resolve) => {
      const timer = setInterval(() => {
        const elapsedMs = performance.now() - begunAtMs;
        while (sent - first < (Math.min(elapsedMs, PHASE_MS) * PER_SECOND) / 1000) send("cam-1");
        if (elapsedMs < PHASE_MS || own.length < sent - first) return;
        clearInterval(timer);
        resolve();
      }, 2);
    });
    isOver = true;
    await copying;
    own.sort((a, b) => a - b);
    phases[kind].push(quantile(own, 0.99));
    latencies[kind].push(...own);
  }
  const ledgerMb = (statSync(join(folder, "test.ledger")).size / 1e6).toFixed(0);
  print(
    `${DECISIONS} decisions and more, ${ledgerMb} MB; ${backups} backups, one after the other; ${PER_SECOND} frames/s`,
  );
  for (const [kind, all] of Object.entries(latencies)) {
    all.sort((a, b) => a - b);
    const [p50, p99, most] = [quantile(all, 0.5), quantile(all, 0.99), all.at(-1)].map((ms) => ms.toFixed(1));
    print(`${kind}: ${all.length} frames, p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`);
  }
  const ratios = phases.during.map((p99, i) => p99 / phases.without[i]).sort((a, b) => a - b);
  print(`p99 during / without, of ${ratios.length} pairs: ${ratios.map((one) => one.toFixed(1)).join(", ")}`);
  client.end(true);
} finally {
  for (const child of children.reverse()) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

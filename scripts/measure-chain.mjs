/** What the hash chain costs a row: appends with and without it, in turn, on files of their own. After a build. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appender } from "../dist/ledger/append.js";
import { openAuditLog } from "../dist/ledger/audit-log.js";
import { openChain } from "../dist/ledger/chain.js";
import { openDrawing } from "../dist/ledger/drawing.js";
import { openKeptFrames } from "../dist/ledger/kept-frames.js";
import { openChecked } from "../dist/ledger/open.js";
import { openPartRows } from "../dist/ledger/parts.js";
import { prepareStatements } from "../dist/ledger/statements.js";

const ROUNDS = 60;
const BATCHES = 40;
const DEDUPE_WINDOW_MS = 86_400_000;

function writerIn(folder, name, hasChain, synchronous) {
  const { db } = openChecked(join(folder, name), 0);
  db.pragma(`synchronous = ${synchronous}`);
  const chain = openChain(db);
  const without = { ...chain, begin() {}, add() {}, end: () => chain.head() };
  const frames = openKeptFrames(db, 1 << 26);
  const statements = prepareStatements(db);
  const parts = openPartRows(db, statements, DEDUPE_WINDOW_MS);
  const own = hasChain ? chain : without;
  const drawing = openDrawing(db, openAuditLog(db, own), frames);
  const write = appender(db, statements, own, frames, parts, drawing, DEDUPE_WINDOW_MS);
  return { write, close: () => db.close() };
}

let made = 0;
function batchOf(rows, reviewShare) {
  return Array.from({ length: rows }, () => {
    const id = `frame-${made++}`;
    const review = made % 100 < 100 * reviewShare ? `press-a1-${made}` : undefined;
    return {
      frame: {
        station: "press",
        source: `cam-${made % 3}`,
        id,
        identified: true,
        part: undefined,
        contentType: undefined,
        correlation: undefined,
        payload: new Uint8Array(784).fill(made),
        receivedAtMs: 1_700_000_000_000 + made,
      },
      decision: review ? { kind: "review", reason: "score" } : { kind: "pass", reason: "faithful" },
      prediction: {
        classIndex: 3,
        confidence: 0.9123456,
        score: Math.sqrt(made % 97) / 100,
        bandLow: 0.81,
        bandHigh: 0.97,
        novelty: 1.03,
      },
      className: "Dress",
      lambda: 0.12345,
      mode: "guarded",
      revision: 3,
      bundle: "b".repeat(64),
      decidedAtMs: 1_700_000_000_001 + made,
      review: review && {
        id: review,
        deadlineAtMs: 1_700_000_900_001 + made,
        priority: 0.5,
        alert: JSON.stringify({ review, body: "x".repeat(1500) }),
        contentType: "image/png",
      },
    };
  });
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const folder = mkdtempSync(join(tmpdir(), "sekisho-chain-"));
for (const synchronous of ["OFF", "FULL"]) {
  for (const [rows, reviewShare] of [
    [32, 0],
    [32, 0.35],
    [1, 0],
  ]) {
    const name = `${synchronous}-${rows}-${reviewShare}`;
    const writers = [true, false].map((has) => writerIn(folder, `${name}-${has}`, has, synchronous));
    const us = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      const batches = Array.from({ length: BATCHES }, () => batchOf(rows, reviewShare));
      for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const start = process.cpuUsage();
        const startMs = performance.now();
        for (const batch of batches) writers[i].write(batch);
        const cpu = process.cpuUsage(start);
        us[i].push([
          (1000 * (performance.now() - startMs)) / BATCHES / rows,
          (cpu.user + cpu.system) / BATCHES / rows,
        ]);
      }
    }
    for (const writer of writers) writer.close();
    const [withChain, without] = us.map((rounds) =>
      [0, 1].map((k) => median(rounds.slice(5).map((r) => r[k]))),
    );
    process.stdout.write(
      `synchronous=${synchronous}, ${rows} rows a batch, ${100 * reviewShare}% reviews: ` +
        `${without[0].toFixed(2)} us a row without the chain, ${withChain[0].toFixed(2)} with it, ratio ${(withChain[0] / without[0]).toFixed(3)} ` +
        `(CPU ${without[1].toFixed(2)} and ${withChain[1].toFixed(2)})\n`,
    );
  }
}
rmSync(folder, { recursive: true });

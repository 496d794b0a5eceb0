/** The process of one replay: its task comes on a pipe, its report goes to standard output. */

import { readFileSync, writeSync } from "node:fs";
import { openReplayRows } from "../../ledger/replay-rows.ts";
import { readTask, TASK_FD } from "./elsewhere.ts";
import { reportOf } from "./report.ts";
import { walk } from "./walk.ts";

const STDOUT_FD = 1;
const { ledger, walk: options, report } = readTask(readFileSync(TASK_FD));
const rows = openReplayRows(ledger);
try {
  const walked = walk(rows, { ...options, progress() {} });
  const bytes = Buffer.from(JSON.stringify(reportOf({ ...report, walked })));
  for (let written = 0; written < bytes.length; ) written += writeSync(STDOUT_FD, bytes, written);
} finally {
  rows.close();
}

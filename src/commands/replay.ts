/** `sekisho replay`: what other thresholds would have done, from the decisions in the ledger. */

import type { Command } from "commander";
import { openReplayRows } from "../ledger/replay-rows.ts";
import { formatJson } from "../schema/format-json.ts";
import { partsOptions } from "./daemon-parts.ts";
import { oneStation } from "./one-station.ts";
import { type ProposalOptions, proposedBy } from "./replay/proposal.ts";
import { replayText, reportOf } from "./replay/report.ts";
import { walk } from "./replay/walk.ts";
import type { Surroundings } from "./run.ts";
import { Refusal, showProgress, type Terminal } from "./terminal.ts";
import { timeOf } from "./times.ts";

interface ReplayOptions extends ProposalOptions {
  readonly config: string;
  readonly ledger?: string;
  readonly since?: string;
  readonly until?: string;
  readonly json?: boolean;
}

const DAY_MS = 86_400_000;
/** A replay this short needs no bar. */
const ROWS_WITHOUT_PROGRESS = 100_000;

export function registerReplay(program: Command, terminal: Terminal, { environment }: Surroundings): void {
  program
    .command("replay <station>")
    .description(
      "show from the ledger what a proposal would have done; without one, that what is in force does what is on record",
    )
    .option("--lambda-scale <factor>", "every lambda times this, at the next stricter point of the grid")
    .option("--proposal <file>", "a thresholds file that is not in force")
    .option("--config <file>", "the configuration that names ledger, bundle and thresholds", "sekisho.yaml")
    .option("--ledger <file>", "the ledger; may be in use by a running gateway")
    .option("--since <time>", "from this time: 2026-03-01, or 2026-03-01T06:00:00Z; a day ago where left out")
    .option("--until <time>", "up to this time")
    .option("--json", "print one JSON document")
    .action((station: string, options: ReplayOptions) => replay(station, options, terminal, environment));
}

function replay(
  station: string,
  options: ReplayOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
): void {
  const sinceMs = timeOf("--since", options.since) ?? Date.now() - DAY_MS;
  const untilMs = timeOf("--until", options.until) ?? Number.POSITIVE_INFINITY;
  if (!(sinceMs < untilMs)) throw new Refusal("--until: expected a time behind --since");
  const { config, setup } = oneStation(station, options.config, environment);
  const { thresholds, rule, support } = proposedBy(options, setup);
  const rows = openReplayRows(options.ledger ?? config.ledger.path);
  try {
    const isLong = rows.rowsInAll > ROWS_WITHOUT_PROGRESS;
    const first = rows.firstSince(sinceMs);
    const total = Math.max(0, rows.lastId - first + 1);
    const progress = isLong ? showProgress(terminal, "replaying", total, Date.now) : undefined;
    const walked = walk(rows, {
      ...{ station, rule, sinceMs, untilMs },
      inForce: setup.rule,
      bundle: setup.bundle.digest,
      framesPerPartMax: setup.envelope.certificate.framesPerPartMax,
      windowMs: partsOptions(setup, config)?.windowMs ?? 0,
      progress: (id) => progress?.at(Math.min(total, Math.max(0, id - first + 1))),
    });
    progress?.end();
    const report = reportOf({
      ...{ station, support, walked },
      inForce: setup.thresholds,
      proposal: thresholds,
      classNames: setup.envelope.fitted.classes,
      budget: config.review.alertsPerHour,
    });
    terminal.out(options.json ? formatJson(report) : replayText(report, terminal.screen().columns));
  } finally {
    rows.close();
  }
}

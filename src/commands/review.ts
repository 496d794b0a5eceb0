/** `sekisho review`: what a person does with reviews from a terminal, and the labels that come of it. */

import type { Command } from "commander";
import { type ExportOptions, exportReviews } from "./review/export.ts";
import type { Surroundings } from "./run.ts";
import type { Terminal } from "./terminal.ts";

export function registerReview(program: Command, terminal: Terminal, surroundings: Surroundings): void {
  const review = program.command("review").description("look at reviews, answer them, and take labels out");
  review
    .command("export <to>")
    .description(
      "write answered reviews as labels, from the ledger: FILE.npz for record, FILE.json for Label Studio, or a folder for both",
    )
    .option("--config <file>", "the configuration that names ledger and bundles", "sekisho.yaml")
    .option("--ledger <file>", "the ledger; may be in use by a running gateway")
    .option("--bundle <dir>", "the station's bundle, in place of the configuration's")
    .option("--station <name>", "answers of this station only")
    .option("--since <time>", "answered at this time or later: 2026-03-01, or 2026-03-01T06:00:00Z")
    .option("--replace", "replace files that are there")
    .option("--json", "print one JSON document")
    .action((to: string, options: ExportOptions) => exportReviews(to, options, terminal, surroundings));
}

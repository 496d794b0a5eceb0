/** `sekisho review`: what a person does with reviews from a terminal, and the labels that come of it. */

import { Argument, type Command } from "commander";
import type { VerdictKind } from "../gateway/desk.ts";
import {
  type ActOptions,
  claimReview,
  type ResolveOptions,
  releaseReview,
  resolveReview,
  VERDICTS,
} from "./review/acts.ts";
import { type ApiPlaceOptions, apiPlaceOf, withApiPlace } from "./review/api-place.ts";
import { type ExportOptions, exportReviews } from "./review/export.ts";
import { openGatewayApi } from "./review/gateway-api.ts";
import { type ListOptions, listReviews } from "./review/list.ts";
import { type ShowOptions, showReview } from "./review/show.ts";
import type { Surroundings } from "./run.ts";
import type { Terminal } from "./terminal.ts";

export function registerReview(program: Command, terminal: Terminal, surroundings: Surroundings): void {
  const review = program.command("review").description("look at reviews, answer them, and take labels out");
  const { environment } = surroundings;
  const apiOf = (options: ApiPlaceOptions) => openGatewayApi(apiPlaceOf(options, environment));
  withApiPlace(review.command("list").description("reviews that wait for a person, most urgent first"))
    .option("--station <name>", "of this station only")
    .option("--source <name>", "of this source only")
    .option("--reason <name>", "for this reason only")
    .option("--state <names>", "in these states, with commas: held, open, claimed, resolved, expired")
    .option("--limit <count>", "at most so many, up to 500")
    .option("--after <cursor>", "the page after the one that named this")
    .option("--json", "print one JSON document")
    .action((options: ListOptions & ApiPlaceOptions) =>
      listReviews(apiOf(options), options, terminal, Date.now()),
    );
  withApiPlace(review.command("show <review>").description("one review, and its frame drawn where it can be"))
    .option("--no-frame", "without the frame")
    .option("--json", "print one JSON document, the frame in base64")
    .action((id: string, options: ShowOptions & ApiPlaceOptions) =>
      showReview(apiOf(options), id, options, terminal, environment, Date.now()),
    );
  withApiPlace(act(review, "claim <review>", "keep others from answering a review for a while")).action(
    (id: string, options: ActOptions & ApiPlaceOptions) => claimReview(apiOf(options), id, options, terminal),
  );
  withApiPlace(act(review, "release <review>", "give a claimed review back")).action(
    (id: string, options: ActOptions & ApiPlaceOptions) =>
      releaseReview(apiOf(options), id, options, terminal),
  );
  withApiPlace(act(review, "resolve <review>", "answer a review"))
    .addArgument(new Argument("<verdict>", "what the person says").choices(VERDICTS))
    .option("--class <name>", "what the frame shows; with correct and label")
    .action((id: string, verdict: VerdictKind, options: ResolveOptions & ApiPlaceOptions) =>
      resolveReview(apiOf(options), id, verdict, options, terminal),
    );
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

function act(review: Command, usage: string, description: string): Command {
  return review
    .command(usage)
    .description(description)
    .option(
      "--revision <number>",
      "refuse if somebody has acted on it since this revision; by default, since now",
    )
    .option("--json", "print one JSON document");
}

/** `sekisho ledger verify`: proves that a ledger is as it was written, also beside the gateway that writes it. */

import type { Command } from "commander";
import { parseConfig } from "../config/config.ts";
import { type ChainHead, headText, parseHead } from "../ledger/published-head.ts";
import type { WholeLedger } from "../ledger/verify.ts";
import { verifyLedgerFile } from "../ledger/verify-file.ts";
import { formatJson } from "../schema/format-json.ts";
import type { Surroundings } from "./run.ts";
import { type Progress, Refusal, refuse, showProgress, type Terminal } from "./terminal.ts";

interface VerifyOptions {
  readonly config: string;
  readonly ledger?: string;
  readonly head?: readonly string[];
  readonly json?: boolean;
}

export function registerLedger(program: Command, terminal: Terminal, { environment }: Surroundings): void {
  const ledger = program.command("ledger").description("the record of all that was decided");
  ledger
    .command("verify")
    .description("walk the hash chain, and find the first thing that is not as it was written")
    .option("--config <file>", "the configuration that names the ledger", "sekisho.yaml")
    .option("--ledger <file>", "the ledger itself, in place of the configuration's")
    .option(
      "--head <sha256@seq...>",
      "ends of the chain as BASE/info had them: whether the ledger still leads to them",
    )
    .option("--json", "print one JSON document")
    .action((options: VerifyOptions) => verify(options, terminal, environment));
}

function verify(options: VerifyOptions, terminal: Terminal, environment: Surroundings["environment"]): void {
  const heads = (options.head ?? []).map(headOf);
  const file = options.ledger ?? ledgerOf(options.config, environment);
  let progress: Progress | undefined;
  const verification = verifyLedgerFile(file, heads, (batches, ofBatches) => {
    progress ??= showProgress(terminal, "batches", ofBatches, performance.now.bind(performance));
    progress.at(batches);
  });
  progress?.end();
  if (!verification.ok) throw new Refusal(`${file}: ${faultText(verification.fault)}`);
  const { whole } = verification;
  if (options.json) {
    terminal.out(
      formatJson({ ledger: file, ...whole, head: headText(whole.head), headsFound: heads.length }),
    );
    return;
  }
  terminal.out(`${file}: ${inWords(whole, heads.length)}\n`);
}

/** A fault with its place, and what it means. */
export function faultText({
  seq,
  found,
}: {
  readonly seq: number | undefined;
  readonly found: string;
}): string {
  const place = seq === undefined ? "beside its batches" : `batch ${seq}`;
  return `this ledger is not as it was written; ${place}: ${found}. Keep the file as it is, and compare it with a copy from before`;
}

function inWords(whole: WholeLedger, heads: number): string {
  const from = whole.begins === 0 ? "from its beginning" : `from batch ${whole.begins} on`;
  const found =
    heads === 0 ? "" : `, and leads to ${heads === 1 ? "the head" : `all ${heads} heads`} published`;
  return (
    `${from} as it was written: ${whole.batches} batches with ${whole.decisions} decisions, ${whole.reviews} reviews, ` +
    `${whole.events} transitions of reviews, ${whole.acts} acts${found}; it ends at\n${headText(whole.head)}`
  );
}

function headOf(text: string): ChainHead {
  const head = parseHead(text);
  if (head !== undefined) return head;
  throw new Refusal(
    `--head: expected 64 hex digits, @ and a number, as BASE/info has them in \`chainHead\`, found "${text}"`,
  );
}

function ledgerOf(config: string, environment: Surroundings["environment"]): string {
  const parsed = parseConfig(config, environment);
  return parsed.ok ? parsed.value.ledger.path : refuse(parsed.problems);
}

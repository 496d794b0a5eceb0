/** `sekisho thresholds`: look at a station's thresholds, change them within what the certificate proves, stop, go back. */

import { type Command, Option } from "commander";
import { verifyLedgerFile } from "../ledger/verify-file.ts";
import { formatJson } from "../schema/format-json.ts";
import type { Thresholds } from "../thresholds/file.ts";
import { signThresholds } from "../thresholds/signed.ts";
import { faultText } from "./ledger.ts";
import { boundPercent } from "./prose.ts";
import { restoredView } from "./restored.ts";
import type { Surroundings } from "./run.ts";
import { Refusal, type Terminal } from "./terminal.ts";
import { handIn } from "./thresholds/hand-in.ts";
import { type Next, rolledBack, signedNext, stopped, type Wishes, wished } from "./thresholds/next.ts";
import { openThresholdsPlace, signerOf, type ThresholdsPlace } from "./thresholds/place.ts";

interface Common {
  readonly config: string;
  readonly json?: boolean;
}

export interface ActOptions extends Common {
  readonly key?: string;
  readonly as?: string;
  readonly why?: string;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

export function registerThresholds(program: Command, terminal: Terminal, surroundings: Surroundings): void {
  const { environment } = surroundings;
  const thresholds = program
    .command("thresholds")
    .description("look at a station's thresholds, and change them within what is proven");
  const at =
    <O extends Common>(use: (place: ThresholdsPlace, options: O) => unknown) =>
    async (station: string, options: O): Promise<void> => {
      const place = openThresholdsPlace(options.config, station, environment, Date.now());
      try {
        await use(place, options);
      } finally {
        place.close();
      }
    };
  const act = (make: (place: ThresholdsPlace, options: ActOptions & Wishes & { to?: string }) => Next) =>
    at(async (place: ThresholdsPlace, options: ActOptions & Wishes & { to?: string }) => {
      const next = make(place, options);
      const document = signedNext(next, place, signerOf(options, place), options.why!, new Date());
      await handIn(document, next.moved, place, options, terminal, environment);
    });

  common(
    thresholds.command("show <station>").description("what is in force, and what waits for a second person"),
  ).action(at((place, options) => show(place, options, terminal)));
  common(
    thresholds.command("log <station>").description("every revision, and what was refused, newest first"),
  )
    .option("--limit <count>", "at most so many", "50")
    .option("--verify", "walk the ledger's chain first")
    .action(at((place, options: Common & LogOptions) => log(place, options, terminal)));
  acting(
    thresholds.command("propose <station>").description("propose the next revision, snapped to the grid"),
  )
    .requiredOption("--why <text>", "why")
    .option("--lambda <number>", "score threshold")
    .option("--lambda-scale <number>", "all lambdas, times this")
    .option("--alpha <rate>", "most of what passes that may be unfaithful")
    .option("--alpha-class <rate>", "the same within each class")
    .option("--class-lambda <class=number...>", "a stricter lambda of one class")
    .option("--drop-class <class...>", "always review it")
    .option("--add-class <class...>", "let it pass")
    .addOption(new Option("--mode <mode>", "whether it decides").choices(["shadow", "guarded"]))
    .option("--audit-rate <rate>", "share of the passed parts that is audited")
    .option("--file <file>", "start from this document in place of what is in force")
    .action(act((place, options) => wished(options, place)));
  acting(thresholds.command("stop <station>").description("everything to a person, at once"))
    .requiredOption("--why <text>", "why")
    .action(act((place) => stopped(place)));
  acting(
    thresholds
      .command("rollback <station>")
      .description("an earlier revision's content, under the next number"),
  )
    .requiredOption("--to <revision>", "the earlier one")
    .requiredOption("--why <text>", "why")
    .action(act((place, { to }) => rolledBack(to!, place)));
  acting(thresholds.command("approve <station>").description("sign what waits for a second person")).action(
    at((place, options: ActOptions) =>
      handIn(approved(place, options), [], place, options, terminal, environment),
    ),
  );
}

function common(command: Command): Command {
  return command
    .option("--config <file>", "the gateway's configuration", "sekisho.yaml")
    .option("--json", "print one JSON document");
}

function acting(command: Command): Command {
  return common(command)
    .option("--key <file>", "your private key, as `sekisho keys new` wrote it")
    .option("--as <name>", "who you are, where the configuration trusts no keys")
    .option("--url <url>", "the running gateway's address, in place of the configuration's")
    .option("--token-file <file>", "file that holds your token: the running gateway takes it at once")
    .option("--ca-file <file>", "certificate (PEM) to trust beside the system's");
}

function approved(place: ThresholdsPlace, options: ActOptions): Thresholds {
  const { pending, setup } = place;
  if (pending === undefined) throw new Refusal(`station ${setup.name}: nothing waits for a second person`);
  const { person, key } = signerOf(options, place);
  return key === undefined
    ? { ...pending, approvedBy: person }
    : signThresholds(pending, key, setup.trust?.keys ?? []);
}

function show(
  { setup, acts, pending, refused }: ThresholdsPlace,
  { json }: Common,
  terminal: Terminal,
): void {
  const { thresholds, certified, support, envelope, trust } = setup;
  const restored = restoredView(acts, setup.name);
  const bounds = {
    station: support.station ?? null,
    classes: support.classes.map(({ classIndex, cell }) => ({
      class: envelope.fitted.classes[classIndex]!,
      ...cell,
    })),
  };
  if (json) {
    terminal.out(
      formatJson({
        inForce: thresholds,
        certified,
        signed: trust !== undefined,
        restored: restored ?? null,
        bounds,
        pending: pending ?? null,
        refused,
      }),
    );
    return;
  }
  const { revision, mode, lambda, classes, proposedBy, approvedBy, why } = thresholds;
  const passes =
    lambda === null ? "everything goes to a person" : `${classes.join(", ")} pass up to ${lambda}`;
  const bound = support.station && boundPercent(support.station.upperBound);
  terminal.out(
    `${thresholds.station}: revision ${revision}, ${mode}; ${passes}\n` +
      `${bound === undefined ? (certified ? "nothing passes" : "not certified: no bound is proven") : `at most ${bound} of what passes is unfaithful`}\n` +
      `by ${proposedBy}, approved by ${approvedBy}: ${why}\n`,
  );
  if (pending !== undefined) {
    terminal.out(
      `waits for a second person: revision ${pending.revision} by ${pending.proposedBy}: ${pending.why}\n`,
    );
  }
  for (const reason of refused) terminal.out(`the file is not in force: ${reason}\n`);
  if (restored !== undefined) {
    terminal.out(
      `the ledger was restored at ${restored.at} from a backup of ${restored.backupAt}: everything goes to review until a revision that is made since; look at what was lost, and propose one\n`,
    );
  }
}

interface LogOptions {
  readonly limit: string;
  readonly verify?: boolean;
}

function log(
  { config, setup, acts }: ThresholdsPlace,
  options: Common & LogOptions,
  terminal: Terminal,
): void {
  if (options.verify) {
    const verification = verifyLedgerFile(config.ledger.path, [], () => {});
    if (!verification.ok) throw new Refusal(`${config.ledger.path}: ${faultText(verification.fault)}`);
  }
  const limit = Number(options.limit);
  if (!(Number.isSafeInteger(limit) && limit >= 1))
    throw new Refusal("--limit: expected a whole number from 1");
  const kinds = ["revision", "refused", "monitor", "monitor-cleared", "promoted"] as const;
  const rows = acts.list({ station: setup.name, kinds, limit });
  const told = rows.map(({ seq, kind, revision, atMs, body }) => ({
    ...{ seq, kind, revision, at: new Date(atMs).toISOString(), body: JSON.parse(body) as Told },
  }));
  if (options.json) {
    terminal.out(formatJson({ station: setup.name, verified: options.verify === true, acts: told }));
    return;
  }
  if (options.verify) terminal.out("the chain is whole\n");
  for (const { kind, revision, at, body } of told) {
    const by = body.persons === undefined ? "" : ` by ${body.persons.join(" and ")}`;
    const why = body.document?.why ?? body.reasons?.join("; ") ?? "";
    const more = body.certified === false ? ", not certified" : "";
    const words = kind === "refused" ? (body.reasons?.join("; ") ?? why) : why;
    terminal.out(`${at} ${kind}${revision === null ? "" : ` ${revision}`}${by}${more}: ${words}\n`);
  }
}

/** What bodies of acts may hold. */
interface Told {
  readonly document?: { readonly why?: string };
  readonly persons?: readonly string[];
  readonly certified?: boolean;
  readonly reasons?: readonly string[];
}

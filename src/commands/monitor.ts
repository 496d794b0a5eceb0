/** `sekisho monitor`: how a station's monitor stands, and the document that clears a red one. */

import type { Command } from "commander";
import { CLEARING_TYPE } from "../core/monitor-clearing.ts";
import type { MonitorView } from "../http/monitor-route.ts";
import { formatJson } from "../schema/format-json.ts";
import { sign } from "../signing/dsse.ts";
import { readSigningKey } from "../signing/keys.ts";
import { apiPlaceOf } from "./review/api-place.ts";
import { type GatewayApi, openGatewayApi } from "./review/gateway-api.ts";
import type { Surroundings } from "./run.ts";
import { Refusal, type Terminal } from "./terminal.ts";

interface Common {
  readonly config: string;
  readonly json?: boolean;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

interface ClearOptions extends Common {
  readonly why: string;
  readonly envelope?: string;
  readonly audit?: string;
  readonly key?: string;
}

export function registerMonitor(program: Command, terminal: Terminal, surroundings: Surroundings): void {
  const { environment } = surroundings;
  const monitor = program
    .command("monitor")
    .description("how a station's monitor stands, and clearing a red one");
  const apiOf = (options: Common): GatewayApi => openGatewayApi(apiPlaceOf(options, environment));

  common(monitor.command("show <station>").description("state, evidence, and why")).action(
    async (station: string, options: Common) => say(await apiOf(options).monitor(station), options, terminal),
  );
  common(
    monitor
      .command("clear <station>")
      .description(
        "clear a red monitor, by a new envelope in force or by an audit that proves the promise again",
      ),
  )
    .requiredOption("--why <text>", "what was found and done")
    .option("--envelope <sha256>", "the envelope that was put in force since, by its SHA-256")
    .option(
      "--audit <parts:unfaithful>",
      "parts drawn since it turned red, and how many the teacher found unfaithful",
    )
    .option("--key <file>", "your private key, where the configuration trusts keys")
    .action(async (station: string, options: ClearOptions) => {
      const api = apiOf(options);
      const { since, state } = await api.monitor(station);
      if (state !== "red" || since === undefined) {
        throw new Refusal(`the monitor of station ${station} is ${state}: there is nothing to clear`);
      }
      const document = { station, redSince: since, ground: groundIn(options), why: options.why };
      say(await api.clearMonitor(station, signed(document, options.key)), options, terminal);
    });
}

function common(command: Command): Command {
  return command
    .option("--config <file>", "the gateway's configuration, for its address", "sekisho.yaml")
    .option("--json", "print one JSON document")
    .option("--url <url>", "the running gateway's address, in place of the configuration's")
    .option("--token-file <file>", "file that holds your token")
    .option("--ca-file <file>", "certificate (PEM) to trust beside the system's");
}

function groundIn({ envelope, audit }: ClearOptions): object {
  if ((envelope === undefined) === (audit === undefined)) {
    throw new Refusal("say what clears it: --envelope SHA256 or --audit PARTS:UNFAITHFUL, one of them");
  }
  if (envelope !== undefined) return { kind: "envelope", envelope };
  const counts = /^(\d{1,9}):(\d{1,9})$/.exec(audit!);
  if (counts === null)
    throw new Refusal(`--audit: expected PARTS:UNFAITHFUL such as 500:0, found "${audit}"`);
  return { kind: "audit", parts: Number(counts[1]), unfaithful: Number(counts[2]) };
}

function signed(document: object, keyFile: string | undefined): object {
  if (keyFile === undefined) return document;
  const read = readSigningKey(keyFile);
  if (!read.ok) throw new Refusal(`${keyFile}: ${read.reason}`);
  return sign(CLEARING_TYPE, Buffer.from(JSON.stringify(document)), read.key);
}

function say(view: MonitorView, { json }: Common, terminal: Terminal): void {
  if (json) {
    terminal.out(formatJson(view));
    return;
  }
  const { evidence, since, words } = view;
  terminal.out(`${words.en}\n${words.ja}\n`);
  if (since !== undefined) terminal.out(`since ${since}\n`);
  if (evidence !== undefined) terminal.out(`evidence: drift ${evidence.drift}, risk ${evidence.risk}\n`);
}

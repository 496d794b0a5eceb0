/** `sekisho review claim`, `release` and `resolve`: a person's acts on one review. */

import type { VerdictKind } from "../../gateway/desk.ts";
import type { ActReply } from "../../http/api-schemas.ts";
import { formatJson } from "../../schema/format-json.ts";
import { Refusal, type Terminal } from "../terminal.ts";
import type { GatewayApi } from "./gateway-api.ts";
import { plain } from "./plain.ts";

export const VERDICTS = ["confirm", "correct", "label", "unusable"] as const satisfies readonly VerdictKind[];

export interface ActOptions {
  readonly revision?: string;
  readonly json?: boolean;
}

export interface ResolveOptions extends ActOptions {
  readonly class?: string;
}

export async function claimReview(
  api: GatewayApi,
  id: string,
  options: ActOptions,
  terminal: Terminal,
): Promise<void> {
  const reply = await api.claim(id, await revisionOf(api, id, options));
  tell(reply, `${id} is yours to answer`, options, terminal);
}

export async function releaseReview(
  api: GatewayApi,
  id: string,
  options: ActOptions,
  terminal: Terminal,
): Promise<void> {
  const reply = await api.release(id, await revisionOf(api, id, options));
  tell(reply, `${id} is given back: ${reply.state}`, options, terminal);
}

export async function resolveReview(
  api: GatewayApi,
  id: string,
  verdict: VerdictKind,
  options: ResolveOptions,
  terminal: Terminal,
): Promise<void> {
  const reviewRevision = await revisionOf(api, id, options);
  const named = options.class === undefined ? {} : { class: options.class };
  const reply = await api.resolve(id, { reviewRevision, verdict, ...named });
  tell(
    reply,
    `${id} is ${reply.state}: ${[verdict, options.class].filter(Boolean).join(" ")}`,
    options,
    terminal,
  );
}

/** The revision that the person has looked at; where none is named, the one it has now. */
async function revisionOf(api: GatewayApi, id: string, { revision }: ActOptions): Promise<number> {
  if (revision === undefined) return (await api.show(id)).reviewRevision;
  if (/^[1-9]\d{0,14}$/.test(revision)) return Number(revision);
  throw new Refusal(
    `--revision: expected the revision that \`sekisho review show\` gave, found "${revision}"`,
  );
}

function tell(reply: ActReply, words: string, { json }: ActOptions, terminal: Terminal): void {
  terminal.out(json ? formatJson(reply) : `${plain(words)}\n`);
}

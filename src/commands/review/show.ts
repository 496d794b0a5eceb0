/** `sekisho review show`: one review in words, and its frame drawn where that can be. */

import type { ReviewView } from "../../http/api-schemas.ts";
import { formatJson } from "../../schema/format-json.ts";
import { paragraph } from "../prose.ts";
import type { Surroundings } from "../run.ts";
import type { Terminal } from "../terminal.ts";
import { drawFrame } from "./draw-frame.ts";
import type { GatewayApi } from "./gateway-api.ts";
import { plain } from "./plain.ts";
import { fraction, span } from "./words.ts";

export interface ShowOptions {
  /** False with `--no-frame`. */
  readonly frame: boolean;
  readonly json?: boolean;
}

export async function showReview(
  api: GatewayApi,
  id: string,
  { frame: isFrameWanted, json }: ShowOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
  nowMs: number,
): Promise<void> {
  const review = await api.show(id);
  const isFrameThere = review.hasFrame && isFrameWanted;
  const described = isFrameThere ? await api.frameSpec(id) : undefined;
  if (json) {
    const bytes = isFrameThere ? (await api.frame(id)).toString("base64") : undefined;
    const kept = described === undefined ? null : { ...described, base64: bytes };
    return terminal.out(formatJson({ review, keptFrame: kept }));
  }
  const { columns } = terminal.screen();
  const lines = [
    ...paragraph(plain(review.text), columns),
    "",
    ...factsOf(review, nowMs).map(([name, value]) => `${name.padEnd(NAME_COLUMNS)}${plain(value)}`),
  ];
  terminal.out(`${lines.join("\n")}\n`);
  if (described !== undefined) {
    const drawn = await drawFrame(described, await api.frame(id), terminal, environment);
    terminal.out(`\n${drawn.join("\n")}\n`);
  } else if (isFrameWanted) terminal.out("\nits frame is not kept, or has made room for newer ones\n");
}

const NAME_COLUMNS = 12;

function factsOf(review: ReviewView, nowMs: number): readonly (readonly [string, string])[] {
  const { confidence, score, lambda, band } = review;
  const ago = (time: string): string => `${time}, ${span(nowMs - Date.parse(time))} ago`;
  const verdict = [review.verdict, review.verdictClass].filter((one) => one !== undefined).join(" ");
  const facts: readonly (readonly [string, string | undefined | null])[] = [
    ["review", `${review.review}, revision ${review.reviewRevision}`],
    ["state", review.overdue ? `${review.state}, past its deadline` : review.state],
    ["station", review.station],
    ["source", review.source],
    ["frame", review.frame],
    ["part", review.part],
    ["reason", review.reason],
    ["student", review.class && `${review.class}, ${confidence === null ? "?" : fraction(confidence)} sure`],
    ["teacher", band && `${band.map(fraction).join(" to ")} sure of frames like this`],
    [
      "score",
      score === null || lambda === null ? undefined : `${fraction(score)}; passes up to ${fraction(lambda)}`,
    ],
    ["opened", ago(review.openedAt)],
    ["deadline", review.closedAt === undefined ? review.deadline : undefined],
    ["stands for", review.count > 1 ? `${review.count} reviews` : undefined],
    ["behind", review.lead],
    ["claimed by", review.claimedBy && `${review.claimedBy} until ${review.claimedUntil}`],
    ["verdict", verdict === "" ? undefined : verdict],
    [
      "reviewer",
      review.reviewer && `${review.reviewer}${review.vouched === false ? ", not vouched for" : ""}`,
    ],
    ["closed", review.closedAt && ago(review.closedAt)],
  ];
  return facts.flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [[name, value] as const],
  );
}

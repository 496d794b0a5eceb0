/** Hands a revision in: to the running gateway where it is asked to take it at once, else to the files it reads. */

import { TOKEN_FILE_VARIABLE } from "../../config/overrides.ts";
import { stateOnRecord } from "../../gateway/monitor-restore.ts";
import { formatJson } from "../../schema/format-json.ts";
import type { Thresholds } from "../../thresholds/file.ts";
import { apiPlaceOf } from "../review/api-place.ts";
import { openGatewayApi } from "../review/gateway-api.ts";
import type { Surroundings } from "../run.ts";
import { Refusal, type Terminal } from "../terminal.ts";
import type { ActOptions } from "../thresholds.ts";
import { type Answer, createThresholdsDesk } from "../thresholds-desk.ts";
import type { Next } from "./next.ts";
import type { ThresholdsPlace } from "./place.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** @throws Refusal with the reasons, where it is not accepted */
export async function handIn(
  document: Thresholds,
  moved: Next["moved"],
  place: ThresholdsPlace,
  options: ActOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
): Promise<void> {
  const isAsked = options.tokenFile !== undefined || environment[TOKEN_FILE_VARIABLE] !== undefined;
  const answer = isAsked
    ? await openGatewayApi(apiPlaceOf(options, environment)).submitThresholds(place.setup.name, document)
    : ontoFiles(document, place);
  const { revision } = document;
  if (options.json) terminal.out(formatJson({ ...answer, revision, moved, atOnce: isAsked, document }));
  if (answer.outcome === "refused" || answer.outcome === "failed") {
    throw new Refusal(`revision ${revision} is ${answer.outcome}:\n${answer.reasons.join("\n")}`);
  }
  if (options.json) return;
  for (const { class: name, from, to } of moved) {
    terminal.out(
      `${name === null ? "lambda" : `${name}: lambda`} ${from} is snapped to ${to}, the next stricter\n`,
    );
  }
  terminal.out(inWords(answer, revision, isAsked));
}

/** The same desk as the gateway's. It puts on record what it finds in the file, once it has judged that itself. */
function ontoFiles(document: Thresholds, { setup, acts }: ThresholdsPlace): Answer {
  const desk = createThresholdsDesk({
    ...{ acts, append: undefined, refusals: undefined, clock: { nowMs: Date.now }, log: silent },
    setupOf: (name) => (name === setup.name ? setup : undefined),
    monitorOf: (name) => stateOnRecord(acts, name),
    apply: () => {},
    countRefused: () => {},
  });
  return desk.submit(setup.name, JSON.stringify(document), "command");
}

function inWords(answer: Answer, revision: number, isAtOnce: boolean): string {
  if (answer.outcome !== "accepted") {
    return `revision ${revision} waits for a second person (\`sekisho thresholds approve ${answer.station}\`):\n${answer.reasons.join("\n")}\n`;
  }
  const uncertified = answer.certified
    ? ""
    : `it is stricter than before and not certified, so that no bound is published:\n${answer.reasons.join("\n")}\n`;
  const when = isAtOnce
    ? "is in force"
    : "is written; a running gateway judges it when it is sent SIGHUP, another at its start";
  return `revision ${revision} ${when}\n${uncertified}`;
}

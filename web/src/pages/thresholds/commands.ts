/** The commands that do at a terminal what a browser may not, since the key never comes near it. */

import type { Thresholds } from "../../../../src/thresholds/file.ts";
import type { Wish } from "./model.ts";

/** Where a reason goes that is not written yet. */
export const REASON_PLACE = "YOUR REASON";

/** Shell words: what is not plain is quoted, so that nothing in a reason is run. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function command(act: string, station: string, ...options: readonly string[]): string {
  const words = [
    "sekisho",
    "thresholds",
    act,
    station,
    ...options,
    "--key",
    "YOUR.key",
    "--token-file",
    "YOUR.token",
  ];
  return words.map(quoted).join(" ");
}

/** What differs from what is in force, and why it is to change. */
export interface Proposal extends Wish {
  readonly why: string;
}

/** @param base what is in force, which the command starts from as well */
export function proposeCommand(station: string, base: Thresholds, wish: Proposal): string {
  const { lambda, classes = base.classes, classLambdas = base.classLambdas, mode, auditRate, why } = wish;
  const dropped = base.classes.filter((name) => !classes.includes(name));
  const added = classes.filter((name) => !base.classes.includes(name));
  // A class that is to have none of its own any more is given the station's, which says nothing of its own.
  const freed = Object.keys(base.classLambdas).filter(
    (name) => classes.includes(name) && !(name in classLambdas),
  );
  const own = [
    ...Object.entries(classLambdas).filter(([name, value]) => base.classLambdas[name] !== value),
    ...freed.map((name) => [name, lambda ?? base.lambda] as const),
  ];
  return command(
    ...(["propose", station] as const),
    ...(typeof lambda === "number" ? ["--lambda", String(lambda)] : []),
    ...(dropped.length > 0 ? ["--drop-class", ...dropped] : []),
    ...(added.length > 0 ? ["--add-class", ...added] : []),
    ...(own.length > 0 ? ["--class-lambda", ...own.map(([name, value]) => `${name}=${value}`)] : []),
    ...(mode === undefined ? [] : ["--mode", mode]),
    ...(auditRate === undefined ? [] : ["--audit-rate", String(auditRate)]),
    ...["--why", why],
  );
}

export function approveCommand(station: string): string {
  return command("approve", station);
}

export function stopCommand(station: string, why: string): string {
  return command("stop", station, "--why", why);
}

export function rollbackCommand(station: string, revision: number, why: string): string {
  return command("rollback", station, "--to", String(revision), "--why", why);
}

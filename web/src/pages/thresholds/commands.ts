/** The commands that do at a terminal what a browser may not, since the key never comes near it. */

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

export interface Proposal {
  readonly lambda?: number;
  readonly mode?: string;
  readonly auditRate?: number;
  readonly why: string;
}

export function proposeCommand(station: string, { lambda, mode, auditRate, why }: Proposal): string {
  return command(
    ...(["propose", station] as const),
    ...(lambda === undefined ? [] : ["--lambda", String(lambda)]),
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

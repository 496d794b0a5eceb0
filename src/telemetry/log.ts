/** Structured logs, one JSON object a line. */

import { type Logger, pino } from "pino";

/**
 * A log on standard output, or in a file. Secrets never reach it: they are read from files and handed on.
 * @param file where it goes instead of standard output
 */
export function createLog(level: string, gateway: string, file?: string): Logger {
  const options = { level, base: { gateway }, timestamp: pino.stdTimeFunctions.isoTime };
  return file === undefined ? pino(options) : pino(options, pino.destination({ dest: file, sync: true }));
}

/**
 * The log of a worker that serves gateways.
 * @param fd where it goes: standard output, if not said otherwise
 */
export function createWorkerLog(worker: string, level = "info", fd = 1): Logger {
  const options = { level, base: { worker }, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, pino.destination({ dest: fd, sync: true }));
}

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

/** The log of a worker that serves gateways, on standard output. */
export function createWorkerLog(worker: string): Logger {
  return pino({ base: { worker }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** `run --show-errors`: a configuration that is wrong is shown on the gateway's own address until it is right. */

import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { FastifyInstance } from "fastify";
import { readHttpAlone } from "../../config/config.ts";
import type { Config } from "../../config/schema.ts";
import type { Clock } from "../../gateway/ports.ts";
import { type ConfigurationError, createErrorsServer } from "../../http/configuration-errors.ts";
import { peersOf } from "../../http/peers.ts";
import { formatProblems, type Problem } from "../../schema/document.ts";
import type { ServiceManager } from "../service-manager.ts";
import { Refusal } from "../terminal.ts";

export interface AwaitOptions<Read> {
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws Refusal with what is wrong */
  readonly read: () => Read;
  readonly clock: Pick<Clock, "after">;
  readonly systemd: Pick<ServiceManager, "ready" | "status">;
  /** Resolves when it is asked to stop. */
  readonly stopAsked: Promise<unknown>;
  readonly err: (text: string) => void;
}

const LOOK_MS = 2000;
const FALLBACK = { host: "127.0.0.1", port: 8477 } as const;

/** What was read, as soon as it is right; undefined where it was asked to stop before. */
export async function rightConfiguration<Read>(options: AwaitOptions<Read>): Promise<Read | undefined> {
  const { read, clock, systemd, stopAsked, err } = options;
  let found = attempt(read);
  if (found.ok) return found.read;
  let problems = found.problems;
  const isStopped = stopAsked.then(() => true);
  let told = "";
  let serving: Awaited<ReturnType<typeof serve>>;
  try {
    for (;;) {
      const words = formatProblems(problems);
      if (words !== told) {
        told = words;
        await serving?.server.close();
        serving = await serve(options, () => problems.map(bare));
        const where = serving === undefined ? "" : `; they are listed on ${serving.url}/`;
        err(`${words}\nthe configuration is wrong: waiting for it to be put right${where}\n`);
        // Ready in systemd's sense: it is not to be killed for that, and there is nothing to feed the watchdog with.
        systemd.ready(() => ({ hasWork: false, done: 0, trouble: "the configuration is wrong" }), "waiting");
        systemd.status(`the configuration is wrong: ${problems.length} errors${where}`);
      }
      const waited = new Promise<false>((resolve) => clock.after(LOOK_MS, () => resolve(false)));
      if (await Promise.race([isStopped, waited])) return undefined;
      found = attempt(read);
      if (found.ok) return found.read;
      problems = found.problems;
    }
  } finally {
    await serving?.server.close();
  }
}

function attempt<Read>(
  read: () => Read,
):
  | { readonly ok: true; readonly read: Read }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  try {
    return { ok: true, read: read() };
  } catch (error) {
    if (!(error instanceof Refusal) || error.problems.length === 0) throw error;
    return { ok: false, problems: error.problems };
  }
}

function bare({ file, line, column, message }: Problem): ConfigurationError {
  return { file, line, column, message };
}

/** Undefined where the address is taken: what is wrong was printed, and is looked at again all the same. */
async function serve<Read>(
  { file, environment, err }: AwaitOptions<Read>,
  errors: () => readonly ConfigurationError[],
): Promise<{ readonly server: FastifyInstance; readonly url: string } | undefined> {
  const place = placeFor(file, environment);
  const server = createErrorsServer({ ...place, errors });
  try {
    return { server, url: await server.listen({ host: place.host, port: place.port }) };
  } catch (error) {
    err(`the errors cannot be shown on ${place.host}:${place.port}: ${(error as Error).message}\n`);
    return undefined;
  }
}

/** The address of the configuration as far as it can be read and is safe; else one of this machine only. */
function placeFor(file: string, environment: AwaitOptions<unknown>["environment"]) {
  const plain = { tls: undefined, behindProxy: [], publicUrl: undefined, isPeer: () => true } as const;
  const http = readHttpAlone(file, environment);
  if (http === undefined) return { ...FALLBACK, ...plain };
  const { host, port, behindProxy, publicUrl } = http;
  const tls = readable(http.tls);
  if (http.tls !== undefined && tls === undefined) return { host: FALLBACK.host, port, ...plain };
  const isPeer = tls !== undefined || behindProxy.length === 0 ? () => true : peersOf(behindProxy);
  return { host, port, tls, behindProxy, publicUrl, isPeer };
}

function readable(tls: Config["http"]["tls"]): { readonly cert: Buffer; readonly key: Buffer } | undefined {
  try {
    if (tls === undefined) return undefined;
    const pair = { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
    createSecureContext(pair);
    return pair;
  } catch {
    return undefined;
  }
}

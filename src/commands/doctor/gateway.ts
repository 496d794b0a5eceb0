/** Whether a gateway runs at the configured HTTP address, and is ready. */

import type { Config } from "../../config/schema.ts";
import { type Finding, ok, warn } from "./finding.ts";

const ANSWER_MS = 2_000;

export async function gatewayFinding({ http }: Config): Promise<Finding> {
  if (http.port === 0) return ok("gateway", "http.port is 0: where a gateway listens cannot be told");
  const host = http.host === "0.0.0.0" || http.host === "::" ? "127.0.0.1" : http.host;
  const url = `${http.tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${http.port}/readyz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const text = (await response.text()).trim().slice(0, 300);
    if (response.ok) return ok("gateway", `runs at ${url} and is ready`);
    return warn("gateway", `runs at ${url} and is not ready: ${text}`, "see what it waits for in its log");
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    const found = `none answers at ${url} (${cause?.code ?? message})`;
    return warn("gateway", found, "start it, once nothing here fails: systemctl enable --now sekisho");
  }
}

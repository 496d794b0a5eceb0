/** Whether a gateway runs at the configured HTTP address, and is ready. */

import type { Config } from "../../config/schema.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

const ANSWER_MS = 2_000;

export async function gatewayFindings({ gateway, http }: Config): Promise<readonly Finding[]> {
  if (http.port === 0) return [ok("gateway", "http.port is 0: where a gateway listens cannot be told")];
  const host = http.host === "0.0.0.0" || http.host === "::" ? "127.0.0.1" : http.host;
  const url = `${http.tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${http.port}`;
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const text = (await response.text()).trim().slice(0, 300);
    const finding = response.ok
      ? ok("gateway", `runs at ${url} and is ready`)
      : warn("gateway", `runs at ${url} and is not ready: ${text}`, "see what it waits for in its log");
    return [finding, ...(await refusedFindings(url, gateway))];
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    const found = `none answers at ${url} (${cause?.code ?? message})`;
    return [warn("gateway", found, "start it, once nothing here fails: systemctl enable --now sekisho")];
  }
}

/** What the broker would not take of the running gateway, by its own count: no other way tells without being heard. */
async function refusedFindings(url: string, gateway: string): Promise<readonly Finding[]> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
  const refused = (await response.text()).matchAll(/^sekisho_publish_refused_total\{what="(\w+)"\} (\d+)$/gm);
  return [...refused]
    .filter(([, , count]) => Number(count) > 0)
    .map(([, what, count]) =>
      fail(
        `publishes ${what}s`,
        `the broker has refused the gateway ${count} ${what}s since its start`,
        `allow it in the access list: topic write sekisho/${gateway}/${what === "alert" ? "reviews" : "decisions"}/#`,
      ),
    );
}

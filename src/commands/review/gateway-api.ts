/** A gateway's API as commands ask it: one request at a time, each with its end. */

import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { rootCertificates } from "node:tls";
import type {
  ActReply,
  FrameDescription,
  ReviewsReply,
  ReviewView,
  VerdictBody,
} from "../../http/api-schemas.ts";
import type { MonitorView } from "../../http/monitor-route.ts";
import { Refusal } from "../terminal.ts";
import type { Answer } from "../thresholds-desk.ts";
import type { ApiPlace } from "./api-place.ts";
import { plain } from "./plain.ts";

const DEADLINE_MS = 15_000;
/** Above the largest frame that a station may take. */
const REPLY_BYTES_MAX = 128 * 2 ** 20;

export type GatewayApi = ReturnType<typeof openGatewayApi>;

/** @returns calls that throw a Refusal with what the gateway says, or why it says nothing */
export function openGatewayApi(place: ApiPlace) {
  const json = async <T>(path: string, body?: object): Promise<T> =>
    JSON.parse((await ask(place, path, body)).toString()) as T;
  const pathOf = (review: string): string => `/api/reviews/${encodeURIComponent(review)}`;
  return {
    list(query: Readonly<Record<string, string | undefined>>): Promise<ReviewsReply> {
      const given = Object.entries(query).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      return json(`/api/reviews?${new URLSearchParams(given)}`);
    },
    show: (review: string): Promise<ReviewView> => json(pathOf(review)),
    frameSpec: (review: string): Promise<FrameDescription> => json(`${pathOf(review)}/frame-spec`),
    frame: (review: string): Promise<Buffer> => ask(place, `${pathOf(review)}/frame`),
    claim: (review: string, reviewRevision: number): Promise<ActReply> =>
      json(`${pathOf(review)}/claim`, { reviewRevision }),
    release: (review: string, reviewRevision: number): Promise<ActReply> =>
      json(`${pathOf(review)}/release`, { reviewRevision }),
    resolve: (review: string, verdict: VerdictBody): Promise<ActReply> =>
      json(`${pathOf(review)}/verdict`, verdict),
    submitThresholds: (station: string, document: object): Promise<Answer> =>
      json(`/api/stations/${encodeURIComponent(station)}/thresholds`, document),
    monitor: (station: string): Promise<MonitorView> =>
      json(`/api/stations/${encodeURIComponent(station)}/monitor`),
    clearMonitor: (station: string, clearing: object): Promise<MonitorView> =>
      json(`/api/stations/${encodeURIComponent(station)}/monitor`, clearing),
  };
}

async function ask({ origin, token, ca }: ApiPlace, path: string, body?: object): Promise<Buffer> {
  const send = origin.startsWith("https:") ? httpsRequest : httpRequest;
  const options = {
    method: body === undefined ? "GET" : "POST",
    agent: false,
    signal: AbortSignal.timeout(DEADLINE_MS),
    headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
    ...(ca && { ca: [...rootCertificates, ca] }),
  };
  const { status, content } = await new Promise<Reply>((resolve, reject) => {
    const request = send(`${origin}${path}`, options, (response) => {
      readReply(response).then(resolve, reject);
    });
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  }).catch((error: Error) => {
    throw new Refusal(`${origin}: no answer from a gateway: ${reasonOf(error)}`);
  });
  if (status === 200) return content;
  throw new Refusal(
    `${origin}: ${refusalIn(content) ?? `answered ${status}, which is not how a gateway says no`}`,
  );
}

interface Reply {
  readonly status: number;
  readonly content: Buffer;
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > REPLY_BYTES_MAX) throw new Error("it sends more than any frame has");
    chunks.push(chunk);
  }
  return { status: response.statusCode!, content: Buffer.concat(chunks) };
}

function reasonOf(error: Error & { readonly code?: string }): string {
  if (error.name === "AbortError") return `it took longer than ${DEADLINE_MS / 1000} s`;
  if (error.code === "ECONNREFUSED") return "nothing listens there; is it running?";
  // Of several addresses each has failed.
  return error.message || (error.code ?? error.name);
}

/** What the gateway says, if this is one that says no. */
function refusalIn(content: Buffer): string | undefined {
  try {
    const { error } = JSON.parse(content.toString()) as { error: { code: string; message: string } };
    return plain(`${error.message} (${error.code})`);
  } catch {
    return undefined;
  }
}

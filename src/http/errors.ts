/** How the HTTP API says no: one shape, a code for programs and a sentence for people. */

import type { Socket } from "node:net";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { ActError } from "../gateway/desk.ts";
import type { Log } from "../gateway/ports.ts";

/** What a request is refused with. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What the desk refuses, as HTTP has it. */
export const STATUS_OF_ACT_ERROR: Readonly<Record<ActError, number>> = {
  "unknown-review": 404,
  "stale-revision": 409,
  closed: 409,
  "claimed-by-other": 409,
  "unknown-class": 422,
  "class-missing": 422,
  "class-not-expected": 422,
  "verdict-not-expected": 422,
  "not-allowed": 403,
  unavailable: 503,
};

export function notFound(what: string): ApiError {
  return new ApiError(404, "not-found", what);
}

/** What Fastify itself refuses, by its code. */
const OWN: Readonly<Record<string, (error: FastifyError) => ApiError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new ApiError(413, "too-large", "the body is larger than any request needs"),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => wrongContentType(),
  FST_ERR_CTP_EMPTY_TYPE: () => wrongContentType(),
  FST_ERR_BAD_URL: () => new ApiError(400, "malformed", "the path cannot be read"),
  FST_ERR_MAX_PARAM_LENGTH: () => notFound("nothing has so long a name"),
};

export function wrongContentType(): ApiError {
  return new ApiError(415, "wrong-content-type", "expected a body with content-type application/json");
}

/** Makes every error an ApiError; what it was not expected is logged, and not shown. */
export function apiErrorOf(error: FastifyError | ApiError, log: Log): ApiError {
  if (error instanceof ApiError) return error;
  const own = OWN[error.code];
  if (own !== undefined) return own(error);
  if (error.validation !== undefined) return new ApiError(400, "malformed", validationWords(error));
  const { statusCode = 500 } = error;
  if (statusCode >= 400 && statusCode < 500) return new ApiError(statusCode, "malformed", error.message);
  log.error({ error: error.stack }, "a request has failed");
  return new ApiError(500, "internal", "something went wrong here; the gateway's log has it");
}

/** Of every reply: nothing of it is to be run, framed or guessed at by a browser. */
export const SAFE_HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
} as const;

export function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  const { status, code, message, headers } = error;
  return reply
    .code(status)
    .headers({ ...SAFE_HEADERS, ...headers })
    .type("application/json; charset=utf-8")
    .send(JSON.stringify({ error: { code, message } }));
}

/** What the parser of HTTP refuses, by its code. */
const UNREADABLE: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "too-large", "the headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "too-slow", "the request took too long to come"],
};
const NO_HTTP = ["400 Bad Request", "malformed", "this is no HTTP request"] as const;

/** Answers what never became a request, in the same shape, and ends the connection. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.writable && error.code !== "ECONNRESET") {
    const [status, code, message] = UNREADABLE[error.code ?? ""] ?? NO_HTTP;
    const body = JSON.stringify({ error: { code, message } });
    const headers = {
      ...SAFE_HEADERS,
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(body),
      connection: "close",
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write([`HTTP/1.1 ${status}`, ...lines, "", body].join("\r\n"));
  }
  socket.destroy(error);
}

export function noSuchRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendError(reply, notFound(`nothing is at this path of ${request.method}`));
}

/** The first thing that is wrong: where, and what was expected. */
function validationWords({ validation, validationContext }: FastifyError): string {
  const [first] = validation!;
  const { instancePath, message, params } = first!;
  const place = [validationContext ?? "request", ...instancePath.split("/").slice(1)].join(".");
  if (typeof params.additionalProperty === "string")
    return `${place}: unknown member "${params.additionalProperty.slice(0, 64)}"`;
  const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(", ")}` : "";
  return `${place}: ${message}${allowed}`;
}

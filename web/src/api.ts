/** The one way to the gateway: JSON in and out, refusals as errors with a code, the session's token on every change. */

/** What a request was refused with, or that it never arrived (`status` 0, code `unreachable`). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, message: string, status: number, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface Ask {
  readonly signal?: AbortSignal;
  /** Goes on when the page is left. */
  readonly keepalive?: boolean;
}

let csrf: string | undefined;
let onSignedOut: () => void = () => {};

/** @param token of the session, sent with every change; undefined where nobody is signed in */
export function useCsrf(token: string | undefined): void {
  csrf = token;
}

/** Called where the gateway no longer knows who asks. */
export function whenSignedOut(call: () => void): void {
  onSignedOut = call;
}

/** @throws ApiError */
export async function get<Reply>(path: string, ask: Ask = {}): Promise<Reply> {
  return (await (await send(path, { method: "GET" }, ask)).json()) as Reply;
}

/** What is no JSON: a picture, an export. @throws ApiError */
export async function getBlob(path: string, ask: Ask = {}): Promise<Blob> {
  return (await send(path, { method: "GET" }, ask)).blob();
}

/** @throws ApiError */
export async function post<Reply>(path: string, body: unknown, ask: Ask = {}): Promise<Reply> {
  const headers = {
    "content-type": "application/json",
    ...(csrf !== undefined && { "x-sekisho-csrf": csrf }),
  };
  const response = await send(path, { method: "POST", headers, body: JSON.stringify(body) }, ask);
  return (await response.json()) as Reply;
}

async function send(
  path: string,
  request: RequestInit,
  { signal, keepalive = false }: Ask,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, { ...request, keepalive, signal: signal ?? null });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new ApiError("unreachable", (error as Error).message, 0);
  }
  if (response.ok) return response;
  const refusal = await refusalOf(response);
  if (refusal.code === "unauthenticated") onSignedOut();
  throw refusal;
}

async function refusalOf(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const wait = Number.isFinite(retryAfter) ? retryAfter : undefined;
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    return new ApiError(error.code, error.message, response.status, wait);
  } catch {
    // Of a proxy in between, which has words of its own.
    return new ApiError("unavailable", `HTTP ${response.status}`, response.status, wait);
  }
}

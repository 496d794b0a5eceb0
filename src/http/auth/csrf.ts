/** The token that the console's own page sends with every change, which no other page can know. */

import { createHmac, timingSafeEqual } from "node:crypto";

/** In which it comes; a page of another origin would have to ask before it may send one like it. */
export const CSRF_HEADER = "x-sekisho-csrf";

/**
 * The token of a session: made from its id, which the browser keeps from every script, so that nothing has to be kept
 * beside it; from the token nobody gets back to the id.
 */
export function csrfTokenOf(sessionId: string): string {
  return createHmac("sha256", sessionId).update("sekisho csrf").digest("base64url");
}

export function isCsrfTokenOf(sessionId: string, found: unknown): boolean {
  const expected = Buffer.from(csrfTokenOf(sessionId));
  const given = Buffer.from(typeof found === "string" ? found : "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

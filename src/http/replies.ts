/** The replies of a route, as the OpenAPI file has them. */

import type { TSchema } from "typebox";
import { ErrorSchema } from "./api-schemas.ts";

const WORDS: Readonly<Record<number, string>> = {
  400: "The request is malformed.",
  401: "Neither a session nor a token that is in force; or not the password.",
  403: "The role does not suffice, or the request is of foreign origin.",
  404: "There is none.",
  409: "Somebody else was first; look again.",
  422: "The request is well formed, and cannot be done: the message says why.",
  429: "Too many tries, or one such is running.",
  503: "Not at this moment; try again.",
};
/** What any route may say. */
const ALWAYS = [400, 401, 403];

export function replies(schema: TSchema, ...errors: readonly number[]): Record<number, object> {
  const statuses = [...new Set([...ALWAYS, ...errors])].sort((a, b) => a - b);
  return Object.fromEntries([
    [200, { description: "Done.", content: { "application/json": { schema } } }],
    ...statuses.map((status) => [
      status,
      { description: WORDS[status], content: { "application/json": { schema: ErrorSchema } } },
    ]),
  ]);
}

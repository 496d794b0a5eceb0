/** Reads JSON messages that come from outside against a schema. */

import { Ajv2020 } from "ajv/dist/2020.js";
import type { Static, TSchema } from "typebox";

export type Message<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

const ajv = new Ajv2020({ allErrors: false, strict: true });
const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** Makes a reader of one kind of message, which says the first thing that is wrong. */
export function messageReader<S extends TSchema>(
  schema: S,
  bytesMax: number,
): (payload: Uint8Array) => Message<Static<S>> {
  const check = ajv.compile(schema);
  const wrong = (problem: string): Message<Static<S>> => ({ ok: false, problem });
  return (payload) => {
    if (payload.length > bytesMax)
      return wrong(`expected at most ${bytesMax} bytes, found ${payload.length}`);
    let value: unknown;
    try {
      value = JSON.parse(UTF_8.decode(payload));
    } catch (error) {
      return wrong(`expected JSON in UTF-8${placeIn((error as Error).message)}`);
    }
    if (check(value)) return { ok: true, value: value as Static<S> };
    const [error] = check.errors!;
    const path = error!.instancePath.slice(1).replaceAll("/", ".") || "the message";
    const { additionalProperty, allowedValues } = error!.params as Record<string, unknown>;
    if (additionalProperty !== undefined)
      return wrong(`${path}: unknown member "${String(additionalProperty)}"`);
    const allowed = Array.isArray(allowedValues) ? `: ${allowedValues.join(", ")}` : "";
    return wrong(`${path}: ${error!.message}${allowed}`);
  };
}

/** Of what the parser says only the place: it quotes what it found there, which may be a token. */
function placeIn(message: string): string {
  const place = /at position \d+/.exec(message);
  return place === null ? ", found something else" : `, found something else ${place[0]}`;
}

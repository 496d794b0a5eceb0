/** Who may answer over MQTT, and what vouches for them: the broker's access list, or a token of their own. */

import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import type { Reviewer } from "../core/review-record.ts";
import { isName } from "../mqtt/topics.ts";
import type { Locate, Problem } from "../schema/document.ts";

export type Vouch = (name: string, token: string | undefined) => Reviewer | { readonly refused: string };

const TOKEN_CHARACTERS_MIN = 16;

/** Reads the reviewers' tokens. Only their digests are kept. */
export function reviewersOf(
  { brokerVouches, reviewers }: Config["review"],
  locate: Locate,
):
  | { readonly ok: true; readonly vouch: Vouch }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  const digests = new Map<string, Buffer>();
  const problems: Problem[] = [];
  for (const [name, { tokenFile }] of Object.entries(reviewers ?? {})) {
    if (tokenFile === undefined) continue;
    const read = readToken(tokenFile);
    if (typeof read === "string") digests.set(name, digestOf(read));
    else {
      const at = ["review", "reviewers", name, "tokenFile"];
      problems.push(locate(at, `${at.join(".")}: ${tokenFile}: ${read.problem}`));
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    vouch(name, token) {
      if (!isName(name)) return { refused: "expected a reviewer's name as the topic's last level" };
      if (reviewers !== undefined && !Object.hasOwn(reviewers, name)) {
        return { refused: `${name} is none of the reviewers of this gateway` };
      }
      const digest = digests.get(name);
      if (digest === undefined) return { name, vouched: brokerVouches, via: "mqtt" };
      if (token === undefined) return { refused: `expected the token of ${name}, found none` };
      // In constant time: how long it takes tells nothing of how much of it was right.
      if (timingSafeEqual(digestOf(token), digest)) return { name, vouched: true, via: "mqtt" };
      return { refused: `this is not the token of ${name}` };
    },
  };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function readToken(file: string): string | { readonly problem: string } {
  try {
    if ((statSync(file).mode & 0o077) !== 0) {
      return { problem: "others may read this token; chmod 600 it" };
    }
    const token = readFileSync(file, "utf8").trim();
    if (token.length >= TOKEN_CHARACTERS_MIN) return token;
    return {
      problem: `expected a token of at least ${TOKEN_CHARACTERS_MIN} characters, found ${token.length}`,
    };
  } catch (error) {
    return { problem: `cannot read the token: ${(error as Error).message}` };
  }
}

/** The first user: made by whoever holds the link that the daemon printed, once, and while it is fresh. */

import { timingSafeEqual } from "node:crypto";
import type { Accounts } from "./accounts.ts";
import { hashPassword, passwordProblem, type RandomBytes } from "./password.ts";
import { digestOf } from "./token.ts";
import type { User } from "./users-file.ts";

export interface SetupOptions {
  readonly accounts: Pick<Accounts, "isEmpty" | "addFirst">;
  /** Milliseconds that never step back: nobody's clock makes a link fresh again. */
  readonly monotonicMs: () => number;
  readonly random: RandomBytes;
}

export type Redeemed =
  | { readonly ok: true; readonly user: User }
  | { readonly ok: false; readonly error: SetupError; readonly message: string };
export type SetupError = "setup-done" | "wrong-link" | "link-expired" | "weak-password" | "unavailable";

export const SETUP_LINK_MINUTES = 30;
const LINK_MS = SETUP_LINK_MINUTES * 60_000;
const TOKEN_BYTES = 32;

export type Setup = ReturnType<typeof createSetup>;

/** A link is made at the start where nobody is known; another one at the next start. */
export function createSetup({ accounts, monotonicMs, random }: SetupOptions) {
  const token = accounts.isEmpty() ? Buffer.from(random(TOKEN_BYTES)).toString("base64url") : undefined;
  const digest = token === undefined ? undefined : digestOf(token);
  const madeAtMs = monotonicMs();
  let isTaken = false;

  const isRight = (given: string): boolean =>
    digest !== undefined && timingSafeEqual(digestOf(given), digest);
  const isFresh = (): boolean => digest !== undefined && !isTaken && monotonicMs() - madeAtMs < LINK_MS;

  return {
    /** Of the link, which is printed; undefined where somebody is known. */
    token,
    isNeeded: (): boolean => accounts.isEmpty(),
    isOpen: (): boolean => accounts.isEmpty() && isFresh(),

    /** Makes the first user, an engineer. The link is void from then on; where it fails, it is not. */
    async redeem(given: string, name: string, password: string): Promise<Redeemed> {
      if (!accounts.isEmpty()) return refused("setup-done", DONE);
      if (!isRight(given)) return refused("wrong-link", "this is not the link that the gateway printed");
      if (!isFresh()) return refused("link-expired", EXPIRED);
      const problem = passwordProblem(password);
      if (problem !== undefined) return refused("weak-password", problem);
      isTaken = true; // Before anything is waited for: of two who come at once, one is let in.
      try {
        const user: User = { name, role: "engineer", password: await hashPassword(password, random) };
        return accounts.addFirst(user) ? { ok: true, user } : refused("setup-done", DONE);
      } catch (error) {
        isTaken = false;
        return refused(
          "unavailable",
          `the users file cannot be written: ${(error as Error).message}; mend that, or add a user with \`sekisho users add\``,
        );
      }
    },
  };
}

const DONE = "there are users already: log in, or have `sekisho users` add you";
const EXPIRED = `the link was good for ${SETUP_LINK_MINUTES} minutes: start the gateway again for another, or add a user with \`sekisho users add\``;

function refused(error: SetupError, message: string): Redeemed {
  return { ok: false, error, message };
}

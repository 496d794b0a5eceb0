/** The accounts in force: the users file, taken up again when it changes, and what is checked against it. */

import { timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Log } from "../../gateway/ports.ts";
import { formatProblems } from "../../schema/document.ts";
import { verifyPassword } from "./password.ts";
import { digestOf } from "./token.ts";
import { NOBODY, readUsers, type Token, type User, type Users, withUser, writeUsers } from "./users-file.ts";

export interface AccountsOptions {
  readonly file: string;
  /** As read at the start. */
  readonly users: Users;
  readonly nowMs: () => number;
  readonly log: Log;
}

export type Accounts = ReturnType<typeof createAccounts>;

const LOOK_EVERY_MS = 1000;
const TOKEN_CHARACTERS_MAX = 256;

export function createAccounts({ file, users: atStart, nowMs, log }: AccountsOptions) {
  let users = atStart;
  let stamp: string | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  const isEmpty = (): boolean => users.users.length === 0 && users.tokens.length === 0;

  /** Takes up a changed file. One that cannot be read, or is wrong, changes nothing and is told of once. */
  async function look(): Promise<void> {
    if (nowMs() - lookedAtMs < LOOK_EVERY_MS && nowMs() >= lookedAtMs) return;
    lookedAtMs = nowMs();
    const found = await stampOf(file);
    if (found === stamp) return;
    stamp = found;
    if (isEmpty() && !existsSync(file)) return; // Nobody has been added yet.
    const read = readUsers(file);
    if (read.ok) users = read.value;
    else
      log.error(
        { problems: formatProblems(read.problems) },
        "the users file is refused; the users known so far stay",
      );
  }

  return {
    look,
    /** Whether nobody is known, neither a person nor a machine. */
    isEmpty,
    userOf: (name: string): User | undefined => users.users.find((one) => one.name === name),

    /**
     * Writes the first user to the file.
     * @returns false where somebody has been added to it in the meantime
     * @throws what the file system throws
     */
    addFirst(user: User): boolean {
      if (!isEmpty()) return false;
      if (existsSync(file)) {
        const read = readUsers(file);
        if (!read.ok) throw new Error(formatProblems(read.problems));
        if (read.value.users.length > 0 || read.value.tokens.length > 0) return false;
      }
      const first = withUser(NOBODY, user);
      writeUsers(file, first);
      users = first;
      return true;
    },

    /** The token that this is, if it has not expired. All are compared, so that time tells nothing of any. */
    tokenOf(secret: string): Token | undefined {
      const digest = digestOf(secret.slice(0, TOKEN_CHARACTERS_MAX));
      let found: Token | undefined;
      for (const token of users.tokens) {
        if (timingSafeEqual(Buffer.from(token.sha256, "hex"), digest)) found = token;
      }
      return found !== undefined && isInForce(found, nowMs()) ? found : undefined;
    },
  };
}

export function isInForce({ expires }: Token, nowMs: number): boolean {
  return expires === undefined || nowMs < Date.parse(expires);
}

async function stampOf(file: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Passwords that are checked at a time: each takes a core and 32 MiB for a tenth of a second. */
const CHECKS_MAX = 2;
/** More than these are sent away. */
const WAITING_MAX = 16;

/** Checks passwords, a bounded number at a time. */
export function createPasswordCheck(verify: typeof verifyPassword = verifyPassword) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    isFull: (): boolean => waiting.length >= WAITING_MAX,

    async isRight(password: string, kept: string): Promise<boolean> {
      if (running >= CHECKS_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        return await verify(password, kept);
      } finally {
        const next = waiting.shift(); // Its place is handed on.
        if (next === undefined) running--;
        else next();
      }
    },
  };
}

/** Sessions of people who have logged in: kept in memory, under the digest of their id only. */

import type { RandomBytes } from "./password.ts";
import { digestOf } from "./token.ts";

export interface SessionsOptions {
  readonly nowMs: () => number;
  /** What a session lasts by: a system clock that is set back must not lengthen it. */
  readonly monotonicMs: () => number;
  readonly random: RandomBytes;
  /** A session ends when it was not used for so long, */
  readonly idleMs: number;
  /** and in any case after so long. */
  readonly lifetimeMs: number;
  readonly sessionsMax: number;
  readonly perUserMax: number;
}

export interface Session {
  readonly name: string;
  /** The kept password by which it was opened: with another one it is void. */
  readonly password: string;
  /** When it ends in any case, by the system's clock as it stands. */
  readonly endsAtMs: number;
}

/** Times of the monotonic clock. */
interface Kept extends Pick<Session, "name" | "password"> {
  readonly overAtMs: number;
  usedAtMs: number;
}

const ID_BYTES = 32;

export type Sessions = ReturnType<typeof createSessions>;

export function createSessions({
  nowMs,
  monotonicMs,
  random,
  idleMs,
  lifetimeMs,
  sessionsMax,
  perUserMax,
}: SessionsOptions) {
  /** By the digest of the id; the one that was used longest ago is first. */
  const sessions = new Map<string, Kept>();
  const keyOf = (id: string): string => digestOf(id).toString("hex");
  const isOver = ({ usedAtMs, overAtMs }: Kept): boolean =>
    !(monotonicMs() < overAtMs && monotonicMs() < usedAtMs + idleMs);
  const shown = ({ name, password, overAtMs }: Kept): Session => ({
    ...{ name, password },
    endsAtMs: nowMs() + overAtMs - monotonicMs(),
  });

  /** Makes room for one more of this user. */
  function makeRoom(name: string): void {
    for (const [key, session] of sessions) if (isOver(session)) sessions.delete(key);
    const own = [...sessions].filter(([, session]) => session.name === name);
    if (own.length >= perUserMax) sessions.delete(own[0]![0]);
    const [oldest] = sessions.keys();
    if (sessions.size >= sessionsMax) sessions.delete(oldest!);
  }

  function live(id: string): { readonly key: string; readonly session: Kept } | undefined {
    const key = keyOf(id);
    const session = sessions.get(key);
    if (session === undefined) return undefined;
    if (!isOver(session)) return { key, session };
    sessions.delete(key);
    return undefined;
  }

  return {
    /** Opens a session; its id is known to whoever is given it, and to nobody else. */
    open(name: string, password: string): { readonly id: string; readonly endsAtMs: number } {
      makeRoom(name);
      const id = Buffer.from(random(ID_BYTES)).toString("base64url");
      const usedAtMs = monotonicMs();
      sessions.set(keyOf(id), { name, password, overAtMs: usedAtMs + lifetimeMs, usedAtMs });
      return { id, endsAtMs: nowMs() + lifetimeMs };
    },

    /** The session of this id, which is used by that. */
    use(id: string): Session | undefined {
      const found = live(id);
      if (found === undefined) return undefined;
      const { key, session } = found;
      session.usedAtMs = monotonicMs();
      sessions.delete(key);
      sessions.set(key, session);
      return shown(session);
    },

    /** The same, without using it: what goes on by itself keeps no session alive. */
    look(id: string): Session | undefined {
      const found = live(id);
      return found && shown(found.session);
    },

    close: (id: string): void => void sessions.delete(keyOf(id)),
    count: (): number => sessions.size,
  };
}

/** Who is signed in, and how one comes to be. */

import { signal } from "@preact/signals";
import type { Session } from "../../src/http/api-schemas.ts";
import { ApiError, get, post, useCsrf, whenSignedOut } from "./api.ts";

export type { Session };

/** `shut`: the gateway has no users file, and lets nobody in. `away`: it does not answer. */
export type Gate =
  | { readonly kind: "asking" }
  | { readonly kind: "setup" }
  | { readonly kind: "signed-out" }
  | { readonly kind: "signed-in"; readonly session: Session }
  | { readonly kind: "shut"; readonly message: string }
  | { readonly kind: "away" };

export const gate = signal<Gate>({ kind: "asking" });

/** What must be done before a session ends, such as sending what is held back. */
const farewells = new Set<() => Promise<void>>();

export function beforeSignOut(call: () => Promise<void>): () => void {
  farewells.add(call);
  return () => farewells.delete(call);
}

function enter(session: Session): void {
  useCsrf(session.csrf);
  gate.value = { kind: "signed-in", session };
}

whenSignedOut(() => {
  useCsrf(undefined);
  gate.value = { kind: "signed-out" };
});

/** Finds out who asks, at the start and after the gateway was away. */
export async function lookWhoAsks(): Promise<void> {
  try {
    enter(await get<Session>("/session"));
  } catch (error) {
    gate.value = await gateOf(error);
  }
}

async function gateOf(error: unknown): Promise<Gate> {
  if (!(error instanceof ApiError)) throw error;
  if (error.code === "unauthenticated")
    return (await isSetupNeeded()) ? { kind: "setup" } : { kind: "signed-out" };
  if (error.code === "no-users-file") {
    return (await isSetupNeeded()) ? { kind: "setup" } : { kind: "shut", message: error.message };
  }
  if (error.status === 403) return { kind: "shut", message: error.message };
  return { kind: "away" };
}

async function isSetupNeeded(): Promise<boolean> {
  try {
    return (await get<{ needed: boolean }>("/setup")).needed;
  } catch {
    return false;
  }
}

/** @throws ApiError */
export async function signIn(user: string, password: string): Promise<void> {
  enter(await post<Session>("/login", { user, password }));
}

/** Makes the first engineer of a gateway that has no users yet. @throws ApiError */
export async function setUp(token: string, user: string, password: string): Promise<void> {
  enter(await post<Session>("/setup", { token, user, password }));
}

export async function signOut(): Promise<void> {
  await Promise.all([...farewells].map((call) => call()));
  try {
    await post("/logout", {});
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code !== "unauthenticated") throw error;
  }
  useCsrf(undefined);
  gate.value = { kind: "signed-out" };
}

const RANKS = { viewer: 0, reviewer: 1, engineer: 2 } as const;

/** Whether who is signed in may do what takes this role. */
export function mayAct(role: Session["role"]): boolean {
  const at = gate.value;
  return at.kind === "signed-in" && RANKS[at.session.role] >= RANKS[role];
}

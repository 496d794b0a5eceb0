/** `SEKISHO_...` variables: single values of the configuration, set from outside. */

import type { TSchema } from "typebox";
import type { Locate, Problem } from "../schema/document.ts";
import { nearest } from "../schema/nearest.ts";

interface Shape {
  readonly type?: string;
  readonly properties?: Record<string, TSchema>;
  readonly enum?: readonly unknown[];
}

/** Where people's commands look for their token; no setting of the gateway's, but one of the same shell. */
export const TOKEN_FILE_VARIABLE = "SEKISHO_TOKEN_FILE";

/**
 * Puts the values of `SEKISHO_...` variables into a parsed configuration: `SEKISHO_HTTP_PORT` sets
 * `http.port`, `SEKISHO_LOG_LEVEL` sets `log.level`. Stations are set in the file only.
 * @returns a problem for each variable that names no single value, or whose text is no value of its type
 */
export function applyOverrides(
  value: unknown,
  schema: TSchema,
  environment: Readonly<Record<string, string | undefined>>,
  locate: Locate,
): readonly Problem[] {
  const leaves = new Map(leavesOf(schema as Shape, []).map((leaf) => [variableName(leaf.path), leaf]));
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("SEKISHO_") || text === undefined || name === TOKEN_FILE_VARIABLE) continue;
    const leaf = leaves.get(name);
    if (leaf === undefined) {
      const close = nearest(name, [...leaves.keys()]);
      const advice = close === undefined ? "no setting has this name" : `did you mean ${close}?`;
      problems.push(locate([], `environment variable ${name}: ${advice}`));
      continue;
    }
    if (!set(value, leaf.path, convert(text, leaf.shape))) {
      problems.push(locate([], `environment variable ${name}: ${leaf.path[0]} is no section of the file`));
    }
  }
  return problems;
}

/** A problem of a value that a variable has set says so, or one would look for it in the file. */
export function namingVariable(
  problem: Problem,
  environment: Readonly<Record<string, string | undefined>>,
): Problem {
  const name = variableName((problem.path ?? []).map(String));
  if (environment[name] === undefined) return problem;
  return { ...problem, message: `${problem.message} (set by the environment variable ${name})` };
}

function leavesOf(shape: Shape, path: readonly string[]): { path: readonly string[]; shape: Shape }[] {
  if (shape.properties !== undefined) {
    return Object.entries(shape.properties).flatMap(([key, child]) =>
      leavesOf(child as Shape, [...path, key]),
    );
  }
  return shape.type === "object" || shape.type === "array" ? [] : [{ path, shape }];
}

function variableName(path: readonly string[]): string {
  return `SEKISHO_${path.map((key) => key.replace(/[A-Z]/g, "_$&").toUpperCase()).join("_")}`;
}

/** Text that is no number stays text, and the schema then says what was expected. */
function convert(text: string, shape: Shape): unknown {
  const isNumber = shape.type === "integer" || shape.type === "number";
  if (shape.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return isNumber && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function set(value: unknown, path: readonly string[], leaf: unknown): boolean {
  let parent = value;
  for (const [depth, key] of path.entries()) {
    if (typeof parent !== "object" || parent === null) return false;
    const children = parent as Record<string, unknown>;
    if (depth === path.length - 1) children[key] = leaf;
    else children[key] ??= {};
    parent = children[key];
  }
  return true;
}

/** What the options of `sekisho bundle new` may be. */

import { readFileSync } from "node:fs";
import { Refusal } from "./terminal.ts";

export function fileOf(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Refusal(`${option}: cannot read the model: ${(error as Error).message}`);
  }
}

export function pairs(option: string, texts: readonly string[] = []): [string, string][] {
  return texts.map((text) => {
    const at = text.indexOf("=");
    if (at <= 0) throw new Refusal(`${option}: expected key=value, found "${text}"`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
}

export function numbers(option: string, text: string): number[] {
  return text.split(",").map((one) => number(option, one));
}

export function number(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new Refusal(`${option}: expected a number, found "${text}"`);
  return value;
}

/** What the console says, in the reader's language; a text that is missing in one of them does not compile. */

import { signal } from "@preact/signals";
import { en } from "./en.ts";
import { ja } from "./ja.ts";

export type Key = keyof typeof en;
export type Language = "en" | "ja";
export type Params = Readonly<Record<string, string | number>>;

const TEXTS: Readonly<Record<Language, Readonly<Record<Key, string>>>> = { en, ja };
const KEPT_AS = "sekisho.language";

export const language = signal<Language>(firstLanguage());

function firstLanguage(): Language {
  const kept = localStorage.getItem(KEPT_AS);
  if (kept === "en" || kept === "ja") return kept;
  return navigator.languages.some((one) => one.startsWith("ja")) ? "ja" : "en";
}

export function speak(chosen: Language): void {
  localStorage.setItem(KEPT_AS, chosen);
  language.value = chosen;
}

/**
 * The text in the reader's language, `{name}` replaced by the parameter of that name.
 * A text of two halves, "1 review|{count} reviews", gives its first half where `count` is 1.
 */
export function t(key: Key, params: Params = {}): string {
  const halves = TEXTS[language.value][key].split("|");
  const text = halves.length === 2 && params.count !== 1 ? halves[1]! : halves[0]!;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => shown(params[name]));
}

function shown(value: string | number | undefined): string {
  if (typeof value !== "number") return value ?? "";
  return value.toLocaleString(language.value);
}

/** Whether there is a text of this key: of what the gateway names, a newer one may name more. */
export function isKey(key: string): key is Key {
  return Object.hasOwn(en, key);
}

/** A moment, as a clock on the wall says it; with the day where it is not today. */
export function clockTime(at: string | Date): string {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  return time.toLocaleString(language.value, {
    ...(!isToday && { month: "short", day: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  });
}

/** A share as whole per cents; more digits where it is small and not nothing. */
export function percent(share: number, digits = 0): string {
  return share.toLocaleString(language.value, {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Words and figures that several pages share: reasons, results, shares, doubts. */

import { isKey, language, t } from "../i18n/index.ts";

/** A reason in a few words; as it is recorded where a newer gateway has one that this page does not know. */
export function reasonName(reason: string): string {
  const key = `reason.${reason}`;
  return isKey(key) ? t(key) : reason;
}

/** A reason as a sentence. */
export function reasonSentence(reason: string): string {
  const key = `why.${reason}`;
  return isKey(key) ? t(key) : reason;
}

export function decisionName(decision: string): string {
  const key = `ledger.decision.${decision}`;
  return isKey(key) ? t(key) : decision;
}

/** A share with as many digits as tell it from its neighbours: 61%, 4.9%, 0.98%; never 0% where it is more. */
export function share(value: number): string {
  const digits = value >= 0.0995 || value === 0 ? 0 : value >= 0.00995 ? 1 : 2;
  return value.toLocaleString(language.value, {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** The same of a bound: rounded up, so that it promises no more than is proven. */
export function boundShare(value: number): string {
  const step = value >= 0.0995 ? 1e-3 : 1e-4;
  return share(Math.min(1, Math.ceil(value / step - 1e-9) * step));
}

export function grouped(count: number): string {
  return count.toLocaleString(language.value);
}

/** A score or a lambda: three digits that count. */
export function doubt(value: number): string {
  return value >= 0.001 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

/** How long ago, or how long it lasts, in the largest unit that is at least one. */
export function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const [value, unit] =
    minutes < 60
      ? [minutes, "minute"]
      : minutes < 2880
        ? [Math.round(minutes / 60), "hour"]
        : [Math.round(minutes / 1440), "day"];
  return value.toLocaleString(language.value, { style: "unit", unit, unitDisplay: "short" });
}

/** A moment to the second, with its day. */
export function moment(at: string): string {
  return new Date(at).toLocaleString(language.value, {
    ...({ year: "numeric", month: "short", day: "numeric" } as const),
    ...({ hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const),
  });
}

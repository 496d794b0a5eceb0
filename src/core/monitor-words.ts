/** What people are told of a monitor: its state, and what speaks for it. */

import type { Monitor, MonitorFault } from "./monitor.ts";
import type { Language } from "./review.ts";

const FAULTS: Readonly<Record<MonitorFault, { readonly en: string; readonly ja: string }>> = {
  defect: { en: "the monitor itself failed", ja: "監視そのものが故障しました" },
  digest: {
    en: "bundle, envelope and thresholds do not belong together",
    ja: "バンドルと包絡としきい値が一致しません",
  },
  ledger: { en: "the ledger is damaged", ja: "台帳が壊れています" },
  clock: { en: "the clock ran backwards", ja: "時計が逆戻りしました" },
  audits: {
    en: "audits were not answered before their deadline",
    ja: "期限までに回答されなかった監査があります",
  },
};

const STATES: Readonly<Record<Monitor["state"], { readonly en: string; readonly ja: string }>> = {
  green: { en: "green: thresholds apply as they are", ja: "緑：しきい値どおりに判定します" },
  amber: {
    en: "amber: audited more often, and the strictest proven thresholds apply",
    ja: "黄：監査を増やし、証明済みの最も厳しいしきい値で判定します",
  },
  red: {
    en: "red: everything goes to a person until it is cleared",
    ja: "赤：解除されるまで、すべて人が確認します",
  },
};

/** State and reason in one sentence each. */
export function monitorText(station: string, { state, cause }: Monitor, language: Language): string {
  const what = STATES[state][language];
  const why = causeText(cause, language);
  return language === "ja" ? `${station} の監視は${what}。${why}` : `${station}'s monitor is ${what}. ${why}`;
}

function causeText(cause: Monitor["cause"], language: Language): string {
  const isJa = language === "ja";
  switch (cause.kind) {
    case "started":
      return isJa ? "ずれの証拠はありません。" : "Nothing speaks for a drift.";
    case "calm":
      return isJa ? "ずれの証拠がなくなりました。" : "The evidence has gone.";
    case "cleared":
      return isJa ? "人が解除しました。" : "A person cleared it.";
    case "drift": {
      const times = timesText(cause.evidence);
      return isJa
        ? `部品が基準時と違って見えます（証拠 ${times} 対 1）。レンズ、照明、製品を確認してください。`
        : `Parts look unlike those it was certified on (evidence ${times} to 1). Look at lens, light and product.`;
    }
    case "risk": {
      const times = timesText(cause.evidence);
      const words = cause.words === "" ? "" : ` (${cause.words})`;
      return isJa
        ? `監査では不良の見逃しが許容より多くなっています（証拠 ${times} 対 1）${words}。`
        : `Audits speak for more risk than is allowed (evidence ${times} to 1)${words}.`;
    }
    case "fault":
      return isJa
        ? `${FAULTS[cause.fault].ja}（${cause.detail}）。`
        : `Reason: ${FAULTS[cause.fault].en} (${cause.detail}).`;
    default: {
      const never: never = cause;
      return never;
    }
  }
}

function timesText(evidence: number): string {
  return Number.isFinite(evidence) ? evidence.toPrecision(3) : "?";
}

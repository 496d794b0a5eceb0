/** What a person is told when something becomes of a review, in the plant's language. */

import { alertText, type Language } from "./review.ts";
import { AUDIT, type ReviewRecord, type VerdictKind } from "./review-record.ts";

const VERDICTS: Readonly<Record<VerdictKind, Readonly<Record<Language, (name: string) => string>>>> = {
  confirm: { en: (name) => `${name}, as the student had it`, ja: (name) => `${name}（生徒モデルのとおり）` },
  correct: {
    en: (name) => `${name}, and not what the student had`,
    ja: (name) => `${name}（生徒モデルとは別）`,
  },
  label: { en: (name) => name, ja: (name) => name },
  unusable: { en: () => "nobody can tell from this frame", ja: () => "このフレームでは判断できません" },
};

/** The text of an update: where it stands, then the alert's own text. */
export function updateText(review: ReviewRecord, language: Language): string {
  const { state, overdue, count, claimedBy } = review;
  const english = [
    overdue && "Overdue: nobody has answered by the deadline.",
    count > 1 && `${count} frames like this so far.`,
    state === "claimed" && `${claimedBy} is at it.`,
  ];
  const japanese = [
    overdue && "期限を過ぎましたが、まだ回答がありません。",
    count > 1 && `同様のフレームがこれまでに ${count} 件あります。`,
    state === "claimed" && `${claimedBy} が確認中です。`,
  ];
  const words = (language === "en" ? english : japanese).filter((one) => one !== false);
  return [...words, alertText(review, language)].join(language === "en" ? " " : "");
}

/** The text of a close: who said what, or that nobody did. */
export function closeText(review: ReviewRecord, language: Language): string {
  const { verdict, verdictClass, reviewer, vouched } = review;
  if (verdict === null && review.reason === AUDIT) {
    return language === "en"
      ? "Expired: more reviews wait than may, and nobody has answered."
      : "期限切れ：確認待ちが上限を超え、回答がありませんでした。";
  }
  if (verdict === null) {
    return language === "en"
      ? "Expired: more reviews wait than may, and nobody has answered. The frame was not passed."
      : "期限切れ：確認待ちが上限を超え、回答がありませんでした。このフレームは合格になっていません。";
  }
  const said = VERDICTS[verdict][language](verdictClass ?? "");
  if (language === "en") return `${reviewer}: ${said}.${vouched ? "" : " Nobody vouches for the reviewer."}`;
  return `${reviewer}：${said}。${vouched ? "" : "回答者は認証されていません。"}`;
}

/**
 * The text of an alarm: which part it is, what it passed as, and what it is.
 * @param own the class that it passed as
 */
export function alarmText(review: ReviewRecord, own: string | null, language: Language): string {
  const { part, frame, source, verdictClass, reviewer } = review;
  switch (language) {
    case "en": {
      const which = part === null ? `frame ${frame}` : `part ${part} (frame ${frame})`;
      return `Urgent: a part that passed was found wrong. ${which} of ${source} passed as ${own}; ${reviewer} says ${verdictClass}. Find it and take it out.`;
    }
    case "ja": {
      const which = part === null ? `フレーム ${frame}` : `部品 ${part}（フレーム ${frame}）`;
      return `緊急：合格とした部品が誤りと判明しました。${source} の${which}は ${own} として合格しましたが、${reviewer} の回答は ${verdictClass} です。該当品を取り除いてください。`;
    }
    default:
      return unreachable(language);
  }
}

/** The text of a review as it is now, whatever has become of it. */
export function reviewText(review: ReviewRecord, language: Language): string {
  if (review.state === "resolved" || review.state === "expired") return closeText(review, language);
  return updateText(review, language);
}

function unreachable(value: never): never {
  throw new Error(`no such language: ${String(value)}`);
}

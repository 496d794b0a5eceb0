/** Reviews: what a person is told when one opens, in the plant's language. */

import type { ReviewReason } from "./judge.ts";
import { AUDIT, type ReviewRecord } from "./review-record.ts";

export type Language = "en" | "ja";

const REASONS: Readonly<Record<ReviewReason | typeof AUDIT, Readonly<Record<Language, string>>>> = {
  // Neutral: the reviewer is to say what it is, not whether somebody was right.
  [AUDIT]: {
    en: "What is this? Look at it on its own and give its class, or say that nobody can tell.",
    ja: "これは何ですか。これだけを見てクラスを答えてください。判断できない場合は、その旨を答えてください。",
  },
  stopped: {
    en: "The station is stopped: every frame goes to a person.",
    ja: "ステーションは停止中です。すべてのフレームを人が確認します。",
  },
  "monitor-red": {
    en: "The monitor is red: the line no longer looks as it was recorded.",
    ja: "監視が赤です。ラインの様子が記録時と異なっています。",
  },
  "not-finite": {
    en: "The model gave no usable number for this frame.",
    ja: "このフレームに対してモデルが有効な数値を返しませんでした。",
  },
  "class-uncertified": {
    en: "This class is not certified: a person looks at all of it.",
    ja: "このクラスは認証されていません。すべて人が確認します。",
  },
  "outside-band": {
    en: "The student is not as sure as the teacher was of frames like this.",
    ja: "確信度が、同様のフレームに対する教師モデルの範囲から外れています。",
  },
  novel: {
    en: "The frame looks like nothing that was recorded.",
    ja: "記録されたどのフレームにも似ていません。",
  },
  score: {
    en: "On frames like this the student often parted from the teacher.",
    ja: "このようなフレームでは教師モデルとの食い違いが多く見られました。",
  },
  "rule-changed": {
    en: "The thresholds or the bundle changed while the part was being taken in.",
    ja: "部品の受信中にしきい値またはモデルが変更されました。",
  },
  "frame-rejected": {
    en: "A frame of this part could not be judged.",
    ja: "この部品に判定できないフレームがありました。",
  },
  "frame-without-id": {
    en: "A frame of this part came without an id and may have been counted twice.",
    ja: "この部品にIDのないフレームがあり、二重に数えた可能性があります。",
  },
  "part-count-conflict": {
    en: "The frames of this part do not agree on how many there are.",
    ja: "この部品のフレーム数の情報が一致しません。",
  },
  "too-many-frames": {
    en: "This part has more frames than any part that was recorded.",
    ja: "この部品のフレーム数は、記録されたどの部品よりも多くなっています。",
  },
  "part-incomplete": {
    en: "Not all frames of this part came in time.",
    ja: "この部品のフレームが時間内にそろいませんでした。",
  },
  "classes-disagree": {
    en: "The frames of this part were taken for different classes.",
    ja: "この部品のフレームの間でクラスの判定が一致しません。",
  },
  "late-frame": {
    en: "A frame of this part came after the part had been decided.",
    ja: "部品の判定後に、その部品のフレームが届きました。",
  },
};

/** Why a review opened, in one sentence. */
export function reasonInWords(reason: ReviewReason | typeof AUDIT, language: Language): string {
  // Of a ledger that another version wrote.
  return REASONS[reason]?.[language] ?? reason;
}

/** What a text is made of. */
export type ReviewFacts = Pick<ReviewRecord, "className" | "confidence" | "bandLow" | "bandHigh" | "reason">;

/** The alert's text: what the student took the frame for, the teacher beside the student, and the reason. */
export function alertText(facts: ReviewFacts, language: Language): string {
  const words = reasonInWords(facts.reason as ReviewReason, language);
  const { className, confidence, bandLow, bandHigh } = facts;
  if (className === null || confidence === null || bandLow === null || bandHigh === null) return words;
  const [low, high, own] = [bandLow, bandHigh, confidence].map((value) => value.toFixed(2));
  switch (language) {
    case "en":
      return `${className}? The teacher was ${low} to ${high} sure of frames like this; the student is ${own}. ${words}`;
    case "ja":
      return `${className}？ 同様のフレームに対する教師モデルの確信度は ${low}〜${high}、生徒モデルは ${own} です。${words}`;
    default:
      return unreachable(language);
  }
}

/**
 * Which review a person should see first: the estimated chance that the prediction is unfaithful, in [0, 1], times what
 * a mistake costs in this class.
 * @param classCost at least 0; 1 by default
 */
export function priorityOf(score: number, classCost = 1): number {
  return (Number.isFinite(score) ? Math.min(1, Math.max(0, score)) : 1) * classCost;
}

function unreachable(value: never): never {
  throw new Error(`no such language: ${String(value)}`);
}

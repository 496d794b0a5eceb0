/** What people are told of thresholds that nothing proves, and that others are in force again. */

import type { Language } from "./review.ts";

export function revisionText(
  station: string,
  { revision, certified }: { readonly revision: number; readonly certified: boolean },
  language: Language,
): string {
  if (certified) {
    return language === "ja"
      ? `${station} のしきい値は第 ${revision} 版になり、再び保証されています。`
      : `${station} runs by thresholds revision ${revision}: certified again.`;
  }
  return language === "ja"
    ? `${station} のしきい値第 ${revision} 版は以前より厳しいものの、保証されていません。通過した部品のリスクに上限はありません。保証された版を提案するか、記録して再認証してください。`
    : `${station} runs by thresholds revision ${revision}: stricter than before and not certified, so that no bound holds for what passes. Propose thresholds that the certificate supports, or record and certify.`;
}

/** What the page says of a review, in an operator's words. */

import type { ReviewView } from "../../../../src/http/api-schemas.ts";
import { isKey, t } from "../../i18n/index.ts";

/** Why it is for a person; of a reason that this console does not know, the gateway's own words. */
export function reasonInWords({ reason, text }: Pick<ReviewView, "reason" | "text">): string {
  const key = `review.reason.${reason}`;
  return isKey(key) ? t(key) : text;
}

export function reasonInShort(reason: string): string {
  const key = `review.reason.short.${reason}`;
  return isKey(key) ? t(key) : reason;
}

/** What the queue calls it. */
export function titleOf({ reason, class: own }: Pick<ReviewView, "reason" | "class">): string {
  if (reason === "audit") return t("review.spotCheck");
  return own ?? t("review.noClass");
}

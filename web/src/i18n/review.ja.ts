/** Japanese texts of the Review page. */

import type { review as english } from "./review.en.ts";

export const review: Readonly<Record<keyof typeof english, string>> = {
  "review.title": "確認",
};

/** All Japanese texts, by page. */

import type { en } from "./en.ts";
import { ledger } from "./ledger.ja.ts";
import { line } from "./line.ja.ts";
import { reasons } from "./reasons.ja.ts";
import { review } from "./review.ja.ts";
import { shell } from "./shell.ja.ts";
import { thresholds } from "./thresholds.ja.ts";

export const ja: Readonly<Record<keyof typeof en, string>> = {
  ...shell,
  ...review,
  ...line,
  ...thresholds,
  ...ledger,
  ...reasons,
};

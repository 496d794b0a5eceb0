/** All English texts, by page. */

import { ledger } from "./ledger.en.ts";
import { line } from "./line.en.ts";
import { reasons } from "./reasons.en.ts";
import { review } from "./review.en.ts";
import { shell } from "./shell.en.ts";
import { thresholds } from "./thresholds.en.ts";

export const en = { ...shell, ...review, ...line, ...thresholds, ...ledger, ...reasons } as const;

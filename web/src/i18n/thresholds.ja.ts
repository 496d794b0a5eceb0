/** Japanese texts of the Thresholds page. */

import type { thresholds as english } from "./thresholds.en.ts";

export const thresholds: Readonly<Record<keyof typeof english, string>> = {
  "thresholds.title": "しきい値",
};

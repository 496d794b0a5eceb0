/** Japanese texts of the Line page. */

import type { line as english } from "./line.en.ts";

export const line: Readonly<Record<keyof typeof english, string>> = {
  "line.title": "ライン",
};

/** Japanese texts of the Ledger page. */

import type { ledger as english } from "./ledger.en.ts";

export const ledger: Readonly<Record<keyof typeof english, string>> = {
  "ledger.title": "記録",
};

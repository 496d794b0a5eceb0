/** English texts of the Ledger page. */

export const ledger = {
  "ledger.title": "Ledger",
} as const;

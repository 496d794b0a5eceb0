/** English texts of the Thresholds page. */

export const thresholds = {
  "thresholds.title": "Thresholds",
} as const;

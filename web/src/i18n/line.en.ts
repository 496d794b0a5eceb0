/** English texts of the Line page. */

export const line = {
  "line.title": "Line",
} as const;

/** English texts of the Review page. */

export const review = {
  "review.title": "Review",
} as const;

/** Text as SQLite gives it back. */

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Half a character would come back from SQLite as another text than was hashed. */
export function wellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? Buffer.from(text, "utf8").toString("utf8") : text;
}

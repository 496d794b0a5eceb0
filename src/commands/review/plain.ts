/** Text from a plant's sensors or from another machine, made harmless for a terminal. */

/** Controls, which may move the cursor or worse; and marks that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same text with each such character shown as what it is. */
export function plain(text: string): string {
  return text.replace(UNSAFE, (found) => `<${found.codePointAt(0)!.toString(16).padStart(2, "0")}>`);
}

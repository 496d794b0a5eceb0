/** What is made again and again from the same few texts is made once. */

/**
 * @param max results that are kept; with one more all are forgotten, so that nothing grows with what a plant sends
 * @param make always gives the same for the same text
 */
export function remembered<T>(max: number, make: (text: string) => T): (text: string) => T {
  const made = new Map<string, T>();
  return (text) => {
    const known = made.get(text);
    if (known !== undefined) return known;
    const fresh = make(text);
    if (made.size >= max) made.clear();
    made.set(text, fresh);
    return fresh;
  };
}

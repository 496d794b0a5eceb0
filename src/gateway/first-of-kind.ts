/** What happens often is named in the log once a kind, and counted in the metrics each time. */

/**
 * @param max kinds that are told apart; what comes beyond is not named
 * @returns whether this kind is seen for the first time
 */
export function firstOfKind(max: number): (kind: string) => boolean {
  const seen = new Set<string>();
  return (kind) => {
    if (seen.has(kind) || seen.size >= max) return false;
    seen.add(kind);
    return true;
  };
}

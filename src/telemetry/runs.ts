/** Counting in runs: most frames of a batch are decided alike, and are then added to their counter together. */

export interface Runs {
  count(station: string, decision: string, reason: string): void;
  /** Adds what has been counted and not been added yet. */
  flush(): void;
}

export function createRuns(
  add: (labels: { station: string; decision: string; reason: string }, count: number) => void,
): Runs {
  let labels = { station: "", decision: "", reason: "" };
  let length = 0;

  function flush(): void {
    if (length > 0) add(labels, length);
    length = 0;
  }

  return {
    count(station, decision, reason) {
      if (reason !== labels.reason || station !== labels.station || decision !== labels.decision) {
        flush();
        labels = { station, decision, reason };
      }
      length++;
    },
    flush,
  };
}

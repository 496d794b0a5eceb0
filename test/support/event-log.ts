/** Collects what happens, so that a test can wait for the event itself, past or to come. */

export interface EventLog<T> {
  readonly all: readonly T[];
  push(event: T): void;
  /** Resolves with the first event that fits, at once if it has happened already. */
  first(fits: (event: T) => boolean): Promise<T>;
  /** Resolves when so many events fit, with the first that many. */
  count(count: number, fits?: (event: T) => boolean): Promise<readonly T[]>;
}

export function anEventLog<T>(): EventLog<T> {
  const all: T[] = [];
  let waiting: { readonly check: () => boolean }[] = [];
  function count(count: number, fits: (event: T) => boolean = () => true): Promise<readonly T[]> {
    return new Promise((resolve) => {
      const check = () => {
        const found = all.filter(fits);
        if (found.length >= count) resolve(found.slice(0, count));
        return found.length >= count;
      };
      if (!check()) waiting.push({ check });
    });
  }
  return {
    all,
    push(event) {
      all.push(event);
      waiting = waiting.filter(({ check }) => !check());
    },
    first: async (fits) => (await count(1, fits))[0]!,
    count,
  };
}

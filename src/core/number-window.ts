/**
 * Values under numbers that rise and are soon done with: a window that moves along. A Map of the same leaves a trail of
 * dead tables behind, each of which keeps all that it held until the garbage collector's rare full run.
 */

export interface NumberWindow<T> {
  /** Values that are there. */
  readonly size: number;
  /** @param number larger than all before */
  set(number: number, value: T): void;
  /** @param number one that has a value */
  replace(number: number, value: T): void;
  get(number: number): T | undefined;
  delete(number: number): void;
  /** The lowest number with a value. */
  first(): number | undefined;
  /** In the order of the numbers. */
  entries(): readonly (readonly [number: number, value: T])[];
  values(): readonly T[];
  clear(): void;
}

const ROOM = 1024;

export function createNumberWindow<T>(): NumberWindow<T> {
  let slots: (T | undefined)[] = new Array(ROOM).fill(undefined);
  let start = 0;
  let end = 0;
  let size = 0;

  const at = (number: number): number => number % slots.length;
  const isInside = (number: number): boolean => number >= start && number < end;

  function grow(): void {
    const larger = new Array<T | undefined>(2 * slots.length).fill(undefined);
    for (let number = start; number < end; number++) larger[number % larger.length] = slots[at(number)];
    slots = larger;
  }

  function entries(): readonly (readonly [number, T])[] {
    const found: [number, T][] = [];
    for (let number = start; number < end; number++) {
      const value = slots[at(number)];
      if (value !== undefined) found.push([number, value]);
    }
    return found;
  }

  return {
    get size() {
      return size;
    },
    set(number, value) {
      if (number < end) throw new RangeError(`expected a number from ${end} on, found ${number}`);
      if (size === 0) {
        start = number;
        end = number;
      }
      // Ahead of the end: what is not inside yet has another number's place.
      while (number >= start + slots.length) grow();
      end = number + 1;
      slots[at(number)] = value;
      size++;
    },
    replace(number, value) {
      slots[at(number)] = value;
    },
    get: (number) => (isInside(number) ? slots[at(number)] : undefined),
    delete(number) {
      if (!isInside(number) || slots[at(number)] === undefined) return;
      slots[at(number)] = undefined;
      size--;
      while (start < end && slots[at(start)] === undefined) start++;
    },
    first: () => (size === 0 ? undefined : start),
    entries,
    values: () => entries().map(([, value]) => value),
    clear() {
      slots = new Array(ROOM).fill(undefined);
      start = end;
      size = 0;
    },
  };
}

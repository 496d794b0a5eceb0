/** The decisions on their way to the broker: how many have no answer yet, and up to which all have one. */

/** Decisions that left together, and which of them have their answer. */
interface Flight {
  readonly ids: readonly number[];
  readonly isDone: boolean[];
  /** The first without an answer. */
  next: number;
}

export interface Flights {
  /** Decisions without an answer, and those behind one. */
  readonly count: number;
  /** Decisions leave together, behind all before them; the returned function notes the answer to one, by its place. */
  depart(ids: readonly number[]): (index: number) => void;
  /** Forgets what is on its way: it will be sent again. */
  clear(): void;
}

/** @param arrived called with each id up to which, from now on, every decision has its answer */
export function createFlights(arrived: (id: number) => void): Flights {
  const flights: Flight[] = [];
  let count = 0;

  function advance(): void {
    for (let first = flights[0]; first !== undefined; first = flights[0]) {
      const start = first.next;
      while (first.isDone[first.next] === true) first.next++;
      if (first.next > start) arrived(first.ids[first.next - 1]!);
      count -= first.next - start;
      if (first.next < first.ids.length) return;
      flights.shift();
    }
  }

  return {
    get count() {
      return count;
    },
    depart(ids) {
      const flight: Flight = { ids, isDone: ids.map(() => false), next: 0 };
      flights.push(flight);
      count += ids.length;
      return (index) => {
        flight.isDone[index] = true;
        advance();
      };
    },
    clear() {
      flights.length = 0;
      count = 0;
    },
  };
}

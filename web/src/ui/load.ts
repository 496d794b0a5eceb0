/** What a page asks the gateway for: not there yet, there, or refused; what was there stays while it is asked for anew. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { errorInWords } from "./errors.ts";

export interface Loaded<Value> {
  readonly value: Value | undefined;
  readonly problem: string | undefined;
  readonly again: () => void;
}

/**
 * @param key says what is asked for: another key forgets what was there; undefined asks for nothing
 * @param everyMs how often it is asked for again while the page can be seen; never where left out
 */
export function useLoad<Value>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<Value>,
  everyMs?: number,
): Loaded<Value> {
  const [round, setRound] = useState(0);
  const [found, setFound] = useState<{ key: string; value: Value }>();
  const [problem, setProblem] = useState<{ key: string; words: string }>();
  const latest = useRef(load);
  latest.current = load;
  const again = useCallback(() => setRound((one) => one + 1), []);

  // A round asks for the same once more.
  useEffect(() => {
    if (key === undefined) return;
    const leaving = new AbortController();
    latest.current(leaving.signal).then(
      (value) => {
        if (leaving.signal.aborted) return;
        setFound({ key, value });
        setProblem(undefined);
      },
      (error: unknown) => {
        if (!leaving.signal.aborted) setProblem({ key, words: errorInWords(error) });
      },
    );
    return () => leaving.abort();
  }, [key, round]);

  useEffect(() => {
    if (everyMs === undefined) return;
    const ask = (): void => {
      if (document.visibilityState === "visible") again();
    };
    const timer = setInterval(ask, everyMs);
    document.addEventListener("visibilitychange", ask);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [everyMs, again]);

  return {
    value: found !== undefined && found.key === key ? found.value : undefined,
    problem: problem !== undefined && problem.key === key ? problem.words : undefined,
    again,
  };
}

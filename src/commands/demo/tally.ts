/** What the demo has seen: counts by camera, the latest decisions and alerts. */

export interface SeenDecision {
  readonly frame: string;
  readonly source: string;
  readonly decision: "pass" | "review" | "reject";
  readonly reason: string;
  readonly class: string | null;
  readonly confidence: number | null;
  readonly band: readonly [number, number] | null;
  readonly at: string;
}

export interface SeenAlert extends SeenDecision {
  readonly review: string;
  readonly text: string;
  readonly frameInline?: { readonly base64: string };
}

export interface CameraTally {
  frames: number;
  pass: number;
  review: number;
  reject: number;
  /** Frames and reviews of each of the last seconds, the present one last. */
  readonly seconds: { frames: number; reviews: number }[];
}

const SECONDS_KEPT = 60;
const LATEST_KEPT = 6;
const RATE_SECONDS = 10;
/** A person needs so long to read an alert. */
const ALERT_SHOWN_SECONDS = 4;

export interface Tally {
  readonly cameras: ReadonlyMap<string, CameraTally>;
  readonly decisions: readonly SeenDecision[];
  readonly alerts: readonly SeenAlert[];
  readonly frames: () => number;
  /** Alerts heard of in all. */
  readonly alertCount: () => number;
  /** The alert to show at length: a new one only every few seconds, so that it can be read. */
  readonly alertShown: () => SeenAlert | undefined;
  decided(decision: SeenDecision): void;
  alerted(alert: SeenAlert): void;
  /** Call once a second. */
  nextSecond(): void;
}

export function createTally(names: readonly string[]): Tally {
  const cameras = new Map<string, CameraTally>(
    names.map((name) => [
      name,
      { frames: 0, pass: 0, review: 0, reject: 0, seconds: [{ frames: 0, reviews: 0 }] },
    ]),
  );
  const decisions: SeenDecision[] = [];
  const alerts: SeenAlert[] = [];
  let alertCount = 0;
  let shown: SeenAlert | undefined;
  let shownSeconds = 0;
  return {
    cameras,
    decisions,
    alerts,
    frames: () => [...cameras.values()].reduce((sum, camera) => sum + camera.frames, 0),
    alertCount: () => alertCount,
    alertShown: () => shown,
    decided(decision) {
      const camera = cameras.get(decision.source);
      if (camera === undefined) return;
      camera.frames++;
      camera[decision.decision]++;
      const second = camera.seconds.at(-1)!;
      second.frames++;
      if (decision.decision !== "pass") second.reviews++;
      decisions.unshift(decision);
      decisions.length = Math.min(decisions.length, LATEST_KEPT);
    },
    alerted(alert) {
      alertCount++;
      shown ??= alert;
      alerts.unshift(alert);
      alerts.length = Math.min(alerts.length, LATEST_KEPT);
    },
    nextSecond() {
      for (const { seconds } of cameras.values()) {
        seconds.push({ frames: 0, reviews: 0 });
        if (seconds.length > SECONDS_KEPT) seconds.shift();
      }
      if (++shownSeconds % ALERT_SHOWN_SECONDS === 0) shown = alerts[0] ?? shown;
    },
  };
}

/** Share of frames that did not pass in the last seconds; undefined before the first frame. */
export function escalationRate({ seconds }: CameraTally): number | undefined {
  const recent = seconds.slice(-RATE_SECONDS);
  const frames = recent.reduce((sum, second) => sum + second.frames, 0);
  return frames === 0 ? undefined : recent.reduce((sum, second) => sum + second.reviews, 0) / frames;
}

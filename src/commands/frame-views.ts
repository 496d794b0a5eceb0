/** The frames of reviews for the console: drawn by a process of the station's own, which comes and goes with those who look. */

import { type Gallery, readGallery } from "../bundle/gallery.ts";
import { frameSpecOf } from "../bundle/manifest.ts";
import type { Encoding } from "../core/frame.ts";
import type { Drawn } from "../core/frame-view.ts";
import { openViewer, type Viewed, type Viewer } from "../engine/viewer.ts";
import type { Desk, ReviewRow } from "../gateway/desk.ts";
import type { Clock, Log } from "../gateway/ports.ts";
import { CONTENT_TYPE_OF } from "../gateway/station.ts";
import type { DrawnFrame, ShownFrame } from "../http/frame-view-routes.ts";
import { studentSpec } from "./models.ts";
import type { StationSetup } from "./station-setup.ts";

export interface FrameViewsOptions {
  readonly desk: Pick<Desk, "frameOf">;
  readonly setups: () => readonly StationSetup[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface FrameViews {
  shownFrame(review: ReviewRow): Promise<ShownFrame>;
  close(): Promise<void>;
}

const MODULE = new URL("../engine/viewer-main.js", import.meta.url);
/** A viewer that nobody asks is ended: its memory is the line's. */
const IDLE_MS = 120_000;
/** Stations that have one at a time. */
const VIEWERS_MAX = 4;
/** Frames that wait for one viewer; whoever comes then is sent away. */
const WAITING_MAX = 32;
/** Drawn lately: the next review is fetched ahead, and its pictures by themselves. */
const KEPT = { views: 64, bytes: 16 * 2 ** 20 } as const;

interface Kept {
  readonly viewer: Promise<Viewer>;
  /** Of the bundle that it has. */
  readonly digest: string;
  waiting: number;
  hasProblem: boolean;
  cancelIdle: () => void;
}

interface Held {
  readonly shown: Promise<ShownFrame>;
  bytes: number;
}

export function openFrameViews({ desk, setups, clock, log }: FrameViewsOptions): FrameViews {
  const viewers = new Map<string, Kept>();
  const held = new Map<string, Held>();

  async function end(station: string): Promise<void> {
    const kept = viewers.get(station);
    if (kept === undefined) return;
    viewers.delete(station);
    kept.cancelIdle();
    await (await kept.viewer).close();
  }

  /** Read when somebody looks; one that cannot be read costs its frames only. */
  function galleryOf({ name, bundle, envelope }: StationSetup): Promise<Gallery | undefined> {
    const { outputs } = envelope.fitted.projection;
    return readGallery(bundle.folder, bundle.manifest, outputs).catch((error: Error) => {
      log.warn({ station: name, error: error.message }, "the bundle's gallery cannot be shown");
      return undefined;
    });
  }

  function viewerOf(setup: StationSetup): Kept {
    const { name, bundle, envelope } = setup;
    const found = viewers.get(name);
    if (found?.digest === bundle.digest) {
      viewers.delete(name);
      viewers.set(name, found); // The one used last is last.
      return found;
    }
    void end(name);
    const [oldest] = viewers.keys();
    if (viewers.size >= VIEWERS_MAX) void end(oldest!);
    const viewer = galleryOf(setup).then((gallery) =>
      openViewer({
        modulePath: MODULE,
        spec: frameSpecOf(bundle.manifest.frame),
        preprocessing: bundle.manifest.preprocessing,
        model: studentSpec(bundle.manifest),
        temperature: envelope.fitted.temperature,
        projection: envelope.fitted.projection,
        gallery,
        student: bundle.studentBytes,
        onStderr: (line) => log.warn({ station: name, line }, "the viewer says"),
      }),
    );
    const made: Kept = { viewer, digest: bundle.digest, waiting: 0, hasProblem: false, cancelIdle() {} };
    viewers.set(name, made);
    return made;
  }

  async function draw(review: ReviewRow): Promise<ShownFrame> {
    const setup = setups().find(({ name }) => name === review.station);
    if (setup === undefined) return { kind: "none", why: "no-station" };
    const frame = desk.frameOf(review.id);
    if (frame === undefined) return { kind: "none", why: "gone" };
    const encoding = encodingOf(frame.contentType);
    if (encoding === undefined) return { kind: "none", why: "unreadable" };
    const kept = viewerOf(setup);
    if (kept.waiting >= WAITING_MAX) return { kind: "none", why: "busy" };
    kept.waiting++;
    kept.cancelIdle();
    try {
      const viewer = await kept.viewer;
      const viewed = await viewer.view({ encoding, payload: frame.payload });
      if (viewed?.problem !== undefined && !kept.hasProblem) {
        kept.hasProblem = true;
        log.warn(
          { station: setup.name, problem: viewed.problem },
          "the student cannot be run for the console",
        );
      }
      return viewed?.drawn === undefined ? { kind: "none", why: "unreadable" } : shownOf(viewed, setup);
    } finally {
      kept.waiting--;
      if (kept.waiting === 0) kept.cancelIdle = clock.after(IDLE_MS, () => void end(review.station));
    }
  }

  function hold(id: string, shown: Promise<ShownFrame>): void {
    const one: Held = { shown, bytes: 0 };
    held.set(id, one);
    void shown.then(
      (done) => {
        // What may be otherwise a moment later is not kept.
        if (done.kind === "none") held.delete(id);
        else one.bytes = bytesOf(done);
        let bytes = [...held.values()].reduce((sum, each) => sum + each.bytes, 0);
        for (const [oldest, each] of held) {
          if (bytes <= KEPT.bytes && held.size <= KEPT.views) break;
          held.delete(oldest);
          bytes -= each.bytes;
        }
      },
      () => held.delete(id),
    );
  }

  return {
    shownFrame(review) {
      const found = held.get(review.id);
      if (found !== undefined) return found.shown;
      const shown = draw(review);
      hold(review.id, shown);
      return shown;
    },
    async close() {
      await Promise.all([...viewers.keys()].map(end));
    },
  };
}

function encodingOf(contentType: string): Encoding | undefined {
  return (Object.keys(CONTENT_TYPE_OF) as Encoding[]).find((one) => CONTENT_TYPE_OF[one] === contentType);
}

function shownOf(
  { drawn, image, confidence, neighbours, images }: Viewed,
  { envelope }: StationSetup,
): ShownFrame {
  const { classes } = envelope.fitted;
  return {
    kind: "shown",
    frame: drawnFrame(drawn!, image, images),
    classes,
    confidence,
    neighbours: neighbours.map(({ classIndex, drawn: own, image: at, ...rest }) => ({
      class: classes[classIndex]!,
      ...rest,
      ...drawnFrame(own, at, images),
    })),
  };
}

function drawnFrame(drawn: Drawn, image: number | undefined, images: readonly Uint8Array[]): DrawnFrame {
  const { picture, signal, numbers } = drawn;
  return {
    ...(picture && { picture }),
    ...(signal && { signal: { ...signal, samples: [...signal.samples], spectrum: [...signal.spectrum] } }),
    ...(numbers && { numbers }),
    ...(image !== undefined && { png: images[image]! }),
  };
}

function bytesOf(shown: Extract<ShownFrame, { kind: "shown" }>): number {
  const own = (frame: DrawnFrame): number =>
    (frame.png?.length ?? 0) +
    8 * ((frame.signal?.samples.length ?? 0) + (frame.signal?.spectrum.length ?? 0));
  return own(shown.frame) + shown.neighbours.reduce((sum, one) => sum + own(one), 0);
}

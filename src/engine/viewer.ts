/** A viewer for the console: payloads of frames in, what a person is shown of them out, by way of a fenced process. */

import type { EngineFrame } from "../gateway/ports.ts";
import { questionOf } from "./decoder-channel.ts";
import { openFenced } from "./fenced.ts";
import {
  readView,
  VIEW_BYTES_MAX,
  type Viewed,
  type ViewerTask,
  viewerTaskMessage,
} from "./viewer-channel.ts";

export type { Gallery, Viewed } from "./viewer-channel.ts";

export interface ViewerOptions extends ViewerTask {
  /** The built `engine/viewer-main.js`. */
  readonly modulePath: string | URL;
  readonly deadlineMs?: number;
  readonly onStderr: (line: string) => void;
}

export interface Viewer {
  /** Undefined where the frame has ended the process. */
  view(frame: EngineFrame): Promise<Viewed | undefined>;
  close(): Promise<void>;
}

const DEADLINE_MS = 15_000;

export function openViewer({
  modulePath,
  deadlineMs = DEADLINE_MS,
  onStderr,
  ...task
}: ViewerOptions): Viewer {
  const fenced = openFenced<Viewed>({
    ...{ modulePath, deadlineMs, onStderr, canWait: true },
    task: viewerTaskMessage(task),
    answerBytesMax: VIEW_BYTES_MAX,
    readAnswer: readView,
  });
  return { view: (frame) => fenced.ask(questionOf(frame)), close: fenced.close };
}

/** A disk of a few megabytes that can really be full: a tmpfs mount, which takes root. */

import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";

export interface SmallDisk {
  readonly folder: string;
  free(): number;
  /** Takes all of its room but some bytes. */
  fill(leaveBytes: number): void;
  /** Gives back what `fill` took. */
  clear(): void;
  unmount(): void;
}

export function aSmallDisk(bytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder], {
    encoding: "utf8",
  });
  if (mounted.status !== 0) throw new Error(`${MISSING}: ${mounted.error?.message ?? mounted.stderr}`);
  const filler = join(folder, "filler");
  const free = (): number => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };
  return {
    folder,
    free,
    fill(leaveBytes) {
      writeFileSync(filler, "");
      while (free() > leaveBytes)
        appendFileSync(filler, new Uint8Array(Math.min(65_536, free() - leaveBytes)));
    },
    clear: () => rmSync(filler, { force: true }),
    unmount() {
      spawnSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const MISSING = "cannot mount a tmpfs: a really full disk takes root, with the right to mount";

/** A suite that needs a disk to fill. Without it: not run, and said so loudly; under CI=true a failure. */
export function describeWithSmallDisk(name: string, suite: () => void): void {
  const reason = whyNot();
  if (reason === undefined) {
    describe(name, suite);
  } else if (process.env.CI === "true") {
    describe(name, () => {
      test("needs the right to mount a tmpfs", () => {
        throw new Error(reason);
      });
    });
  } else {
    process.stderr.write(`\n!!! NOT RUN: suite "${name}". ${reason}\n\n`);
    describe.skip(name, suite);
  }
}

function whyNot(): string | undefined {
  try {
    aSmallDisk(65_536).unmount();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

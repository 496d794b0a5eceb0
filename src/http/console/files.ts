/** The console's files as they are served: read once at the start, so that no path of a request ever touches the disk. */

import { createHash } from "node:crypto";
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

export interface ConsoleFile {
  /** From the root of the console, as a request names it: `/assets/index-B4tX9aQz.js`. */
  readonly path: string;
  readonly contentType: string;
  /** Under this name there will never be another content. */
  readonly isImmutable: boolean;
  readonly etag: string;
  readonly bytes: Buffer;
  /** Undefined where it would be no smaller. */
  readonly zipped: Buffer | undefined;
}

/** What a browser may be given, by the end of its name; anything else in the folder is left alone. */
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/vnd.microsoft.icon",
  js: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};
const ZIPPED = ["css", "html", "js", "svg", "webmanifest"];

/** No character that a router, a shell or a browser would read anything into. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\.([a-z0-9]+)$/;
const FOLDER = /^[A-Za-z0-9_-]+$/;
/** As the build writes it: a name, and the digest of what is in the file. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** Of a console that is a few hundred kilobytes: a folder that is another is not read into memory. */
const BYTES_MAX = 16 * 2 ** 20;
const FILES_MAX = 500;

const zip = promisify(gzip);

/**
 * Reads the built console. Links are not followed.
 * @returns undefined where it has not been built
 * @throws Error if what is there cannot be read, or is too much to be a console
 */
export async function readConsole(folder: string): Promise<readonly ConsoleFile[] | undefined> {
  const found: { readonly path: string; readonly type: string; readonly bytes: Buffer }[] = [];
  let total = 0;
  const walk = (at: string): void => {
    for (const entry of entriesOf(join(folder, at))) {
      if (entry.isDirectory() && FOLDER.test(entry.name)) walk(`${at}${entry.name}/`);
      const end = NAME.exec(entry.name)?.[1];
      if (!entry.isFile() || end === undefined || TYPES[end] === undefined) continue;
      const bytes = readFileSync(join(folder, at, entry.name));
      total += bytes.length;
      if (total > BYTES_MAX || found.length >= FILES_MAX)
        throw new Error(`${folder}: expected a console of at most ${FILES_MAX} files and ${BYTES_MAX} bytes`);
      found.push({ path: `${at}${entry.name}`, type: end, bytes });
    }
  };
  walk("/");
  if (!found.some(({ path }) => path === "/index.html")) return undefined;
  return Promise.all(found.map(asServed));
}

async function asServed({
  path,
  type,
  bytes,
}: {
  path: string;
  type: string;
  bytes: Buffer;
}): Promise<ConsoleFile> {
  const zipped = ZIPPED.includes(type) ? await zip(bytes, { level: 9 }) : undefined;
  return {
    path,
    contentType: TYPES[type]!,
    isImmutable: path.startsWith("/assets/") && HASHED.test(path),
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    bytes,
    zipped: zipped !== undefined && zipped.length < bytes.length ? zipped : undefined,
  };
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

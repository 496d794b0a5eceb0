/** Certificates for tests, made by openssl: authorities, and what they sign. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pair {
  readonly crt: Buffer;
  readonly key: Buffer;
}

interface Signed {
  readonly by: Pair;
  /** Without one: the common name. */
  readonly host?: string;
  /** For how many days it is good; below 0 it has expired. */
  readonly days?: number;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export function anAuthority(name: string): Pair {
  return inFolder((openssl) =>
    openssl("req", "-x509", ...KEY, "-days", "60", "-subj", `/CN=${name}`, "-keyout", "key", "-out", "crt"),
  );
}

export function aCertificate(name: string, { by, host = name, days = 60 }: Signed): Pair {
  return inFolder((openssl, put) => {
    put("ca.crt", by.crt);
    put("ca.key", by.key);
    put("ext", Buffer.from(`subjectAltName=DNS:${host}\n`));
    openssl("req", ...KEY, "-subj", `/CN=${name}`, "-keyout", "key", "-out", "csr");
    const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
    openssl("x509", "-req", "-in", "csr", ...signer, "-days", `${days}`, "-out", "crt");
  });
}

function inFolder(
  make: (openssl: (...args: string[]) => void, put: (name: string, bytes: Buffer) => void) => void,
): Pair {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-pki-"));
  try {
    make(
      (...args) => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" }),
      (name, bytes) => writeFileSync(join(folder, name), bytes),
    );
    return { crt: readFileSync(join(folder, "crt")), key: readFileSync(join(folder, "key")) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

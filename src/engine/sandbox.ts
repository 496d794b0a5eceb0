/** How an engine's process is fenced in: by Node's permission model, in the form that the running Node has. */

import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { allowedNodeEnvironmentFlags } from "node:process";

/**
 * Arguments that let the process read its own code and the packages that it is made of, and nothing else: no file
 * beside those, none at all to write, no child processes, no worker threads, and from Node 25 no network. Addons
 * must be allowed, since ONNX Runtime and libvips are ones; what native code does, no such model sees.
 * @param modulePath the built `engine/main.js`
 * @param hasFlag which flags the Node has that will run it
 */
export function sandboxArgs(
  modulePath: string,
  hasFlag: (flag: string) => boolean = (flag) => allowedNodeEnvironmentFlags.has(flag),
): readonly string[] {
  const permission = ["--permission", "--experimental-permission"].find(hasFlag);
  if (permission === undefined) return [];
  const code = dirname(dirname(modulePath));
  const readable = [join(code, sep), join(code, "..", "package.json"), join(packagesFolder(), sep)];
  return [
    permission,
    "--allow-addons",
    ...readable.map((path) => `--allow-fs-read=${path}`),
    // That the model is experimental on Node 20, and that addons are allowed, is known.
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
  ];
}

/** The outermost node_modules that the engine's packages lie in: some package managers link inside of it. */
function packagesFolder(): string {
  const found = createRequire(import.meta.url).resolve("onnxruntime-node");
  const mark = `${sep}node_modules${sep}`;
  return found.slice(0, found.indexOf(mark) + mark.length - 1);
}

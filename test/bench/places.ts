/** Where the bench finds the repository's files; the bench itself is compiled to dist-bench/test/bench. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The built program. */
export const MAIN = join(ROOT, "dist", "main.js");
export const MODELS = join(ROOT, "test", "bench", "models");
/** The broker's configuration that the documentation recommends. */
export const BROKER_CONFIG = join(ROOT, "docs", "mosquitto.conf");
/** Bundles are kept here between runs. */
export const KEPT = join(ROOT, "dist-bench", "kept");

/** Lets the built command line be started by its own name. */
import { chmodSync } from "node:fs";

chmodSync(new URL("../dist/main.js", import.meta.url), 0o755);

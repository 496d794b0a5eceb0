/** Builds the console to dist/web: hashed names, nothing inline, so that the strictest content security policy holds. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** Where a daemon runs whose API the development server passes on. */
const gateway = process.env.SEKISHO_API ?? "http://127.0.0.1:8477";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: ["chrome119", "edge119", "firefox119", "safari17"],
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 450,
  },
  server: {
    host: "127.0.0.1",
    // The gateway asks whether a request comes from its own page: it must see the page's own Host.
    proxy: { "/api": { target: gateway, changeOrigin: false } },
  },
});

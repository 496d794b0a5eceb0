/** Where one is: the page and its parameters, in the address behind the `#`, so that the server needs no routes. */

import { signal } from "@preact/signals";

export const PAGES = ["review", "line", "thresholds", "ledger"] as const;
export type Page = (typeof PAGES)[number];

export interface Route {
  readonly page: Page | "setup";
  /** What follows the page: `#/thresholds/press` gives `["press"]`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export const route = signal<Route>(routeOf(location.hash));
addEventListener("hashchange", () => {
  route.value = routeOf(location.hash);
});

function routeOf(hash: string): Route {
  const [place = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [first = "", ...path] = place.split("/").map((part) => decodeURIComponent(part));
  const page = first === "setup" ? first : (PAGES.find((one) => one === first) ?? "review");
  return { page, path, query: new URLSearchParams(query) };
}

export function hrefOf(page: Page, ...path: readonly string[]): string {
  return `#/${[page, ...path].map((part) => encodeURIComponent(part)).join("/")}`;
}

/** Goes there, and leaves nothing of where one is in the history. */
export function replaceRoute(page: Page, ...path: readonly string[]): void {
  history.replaceState(null, "", hrefOf(page, ...path));
  route.value = routeOf(location.hash);
}

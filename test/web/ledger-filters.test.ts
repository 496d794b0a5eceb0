/** A search of the ledger: in the address, and as the API is asked. */

import { describe, expect, test } from "vitest";
import { apiQueryOf, filtersOf, NO_FILTERS, queryOf } from "../../web/src/pages/ledger/filters.ts";

const NOW_MS = Date.parse("2026-03-01T06:00:00.000Z");

describe("filters", () => {
  test("come back from the address as they were", () => {
    const chosen = { ...NO_FILTERS, within: "7d" as const, reason: "score", part: "p 1&2", class: "上着" };
    expect(filtersOf(queryOf(chosen))).toEqual(chosen);
    expect(queryOf(NO_FILTERS).toString()).toBe("");
  });

  test("of an address that says nonsense are none", () => {
    expect(filtersOf(new URLSearchParams("within=ever&colour=red"))).toEqual(NO_FILTERS);
  });

  test.each([
    ["1h", "2026-03-01T05:00:00.000Z"],
    ["24h", "2026-02-28T06:00:00.000Z"],
    ["7d", "2026-02-22T06:00:00.000Z"],
    ["all", null],
  ] as const)("within %s ask from %s", (within, from) => {
    const asked = apiQueryOf({ ...NO_FILTERS, within }, NOW_MS);
    expect([asked.get("from"), asked.get("to")]).toEqual([from, null]);
  });

  test("ask for what is given, without blanks, and for nothing that is not", () => {
    const asked = apiQueryOf({ ...NO_FILTERS, within: "all", source: " cam-1 ", part: "  " }, NOW_MS);
    expect(asked.toString()).toBe("source=cam-1");
  });

  test("take a span of this browser's own time, open at either end", () => {
    const chosen = { ...NO_FILTERS, within: "custom" as const, from: "2026-03-01T06:30", to: "" };
    const asked = apiQueryOf(chosen, NOW_MS);
    expect(asked.get("from")).toBe(new Date(2026, 2, 1, 6, 30).toISOString());
    expect(asked.has("to")).toBe(false);
  });
});

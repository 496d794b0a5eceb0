/** schemas/openapi.json and docs/openapi.yaml are made of the schemas that check requests; held fresh, and replies to them. */

import { readFileSync, writeFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatJson } from "../../src/schema/format-json.ts";
import { anHttpWorld, type HttpWorld } from "../support/http.ts";
import { publishedYaml, readYaml, references } from "../support/published-yaml.ts";

interface Body {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly summary?: string;
            readonly parameters?: readonly {
              readonly in: string;
              readonly name: string;
              readonly schema: object;
            }[];
            readonly responses: Readonly<Record<string, Body>>;
            readonly requestBody?: Body;
          }
        >
      >
    >
  >;
}

const FILE = new URL("../../schemas/openapi.json", import.meta.url);

let world: HttpWorld;
beforeAll(async () => {
  world = await anHttpWorld();
  world.frames({ id: "a" }, { id: "b", source: "cam-2" }, { id: "c", source: "cam-3" });
});
afterAll(() => world.end());

// Written by `UPDATE_SCHEMAS=1 npx vitest run test/http/openapi.test.ts`.
test("the published description is the one that is served", async () => {
  const { json } = await world.askAs("viewer", "/api/openapi.json");
  const text = formatJson(json);
  if (process.env.UPDATE_SCHEMAS === "1") writeFileSync(FILE, text);
  expect(readFileSync(FILE, "utf8")).toBe(text);
  const { expected, found } = publishedYaml("openapi.yaml", json, "test/http/openapi.test.ts");
  expect(found).toBe(expected);
});

test("docs/openapi.yaml is whole: each operation has its replies, each path its parameters, each schema compiles", () => {
  const document = readYaml<OpenApi>("openapi.yaml");
  const ajv = new Ajv2020({ strict: false, formats: { binary: true } });
  expect(document.openapi).toMatch(/^3\.1\.\d$/);
  expect(references(document).filter(([, target]) => target === undefined)).toEqual([]);
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { summary, parameters = [], responses, requestBody }] of Object.entries(methods)) {
      const where = `${method} ${path}`;
      expect(summary, where).toBeTypeOf("string");
      const inPath = parameters.filter((one) => one.in === "path").map(({ name }) => `{${name}}`);
      expect(inPath, where).toEqual(path.match(/\{[a-z]+\}/g) ?? []);
      expect(Object.keys(responses), where).toContain("200");
      const bodies = [requestBody, ...Object.values(responses)].flatMap((one) =>
        Object.values(one?.content ?? {}),
      );
      for (const schema of [...bodies, ...parameters].map((one) => one.schema))
        expect(() => ajv.compile(schema!), where).not.toThrow();
      for (const { description } of Object.values(responses)) expect(description, where).toBeTypeOf("string");
    }
  }
});

test("it has every path, and none of those that only refuse", async () => {
  const { paths } = JSON.parse(readFileSync(FILE, "utf8"));
  const all = Object.entries(paths as object).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method} ${path}`),
  );
  expect(all.filter((one) => !one.startsWith("head ")).sort()).toEqual([
    "get /api/audits",
    "get /api/decisions",
    "get /api/decisions/export",
    "get /api/events",
    "get /api/reviews",
    "get /api/reviews/{id}",
    "get /api/reviews/{id}/frame",
    "get /api/reviews/{id}/frame-spec",
    "get /api/reviews/{id}/frame-view.png",
    "get /api/reviews/{id}/frame.png",
    "get /api/reviews/{id}/neighbours/{n}",
    "get /api/reviews/{id}/view",
    "get /api/session",
    "get /api/setup",
    "get /api/stations",
    "get /api/stations/{station}",
    "get /api/stations/{station}/audits",
    "get /api/stations/{station}/certificate",
    "get /api/stations/{station}/history",
    "get /api/stations/{station}/monitor",
    "get /api/stations/{station}/shadow",
    "get /api/stations/{station}/thresholds",
    "post /api/login",
    "post /api/logout",
    "post /api/reviews/{id}/claim",
    "post /api/reviews/{id}/release",
    "post /api/reviews/{id}/verdict",
    "post /api/setup",
    "post /api/stations/{station}/monitor",
    "post /api/stations/{station}/replay",
    "post /api/stations/{station}/thresholds",
  ]);
});

describe("a reply is what the description says", () => {
  const act = (body: object) => ({ method: "POST", body });
  test.each([
    ["/api/session", "/api/session", "get", 200, {}],
    ["/api/setup", "/api/setup", "get", 200, {}],
    ["/api/setup", "/api/setup", "post", 409, act({ token: "A", user: "eve", password: "x" })],
    ["/api/stations", "/api/stations", "get", 200, {}],
    ["/api/stations/press", "/api/stations/{station}", "get", 200, {}],
    ["/api/stations/press/monitor", "/api/stations/{station}/monitor", "get", 200, {}],
    ["/api/stations/press/certificate", "/api/stations/{station}/certificate", "get", 200, {}],
    ["/api/stations/none/certificate", "/api/stations/{station}/certificate", "get", 404, {}],
    ["/api/stations/press/replay", "/api/stations/{station}/replay", "post", 429, act({ hours: 24 })],
    ["/api/stations/none/replay", "/api/stations/{station}/replay", "post", 404, act({ hours: 24 })],
    ["/api/stations/press/replay", "/api/stations/{station}/replay", "post", 400, act({ hours: 169 })],
    ["/api/stations/press/history?minutes=480&step=5", "/api/stations/{station}/history", "get", 200, {}],
    ["/api/stations/press/history?minutes=7", "/api/stations/{station}/history", "get", 400, {}],
    ["/api/stations/none/history", "/api/stations/{station}/history", "get", 404, {}],
    ["/api/stations/press/shadow", "/api/stations/{station}/shadow", "get", 200, {}],
    ["/api/stations/none/shadow", "/api/stations/{station}/shadow", "get", 404, {}],
    ["/api/stations/press/thresholds", "/api/stations/{station}/thresholds", "get", 200, {}],
    ["/api/stations/none/thresholds", "/api/stations/{station}/thresholds", "get", 404, {}],
    ["/api/stations/press/audits", "/api/stations/{station}/audits", "get", 200, {}],
    ["/api/stations/none/audits", "/api/stations/{station}/audits", "get", 404, {}],
    ["/api/audits?station=press", "/api/audits", "get", 200, {}],
    ["/api/decisions?limit=1", "/api/decisions", "get", 200, {}],
    ["/api/reviews?limit=1", "/api/reviews", "get", 200, {}],
    ["/api/reviews/r-a", "/api/reviews/{id}", "get", 200, {}],
    ["/api/reviews/r-a/frame-spec", "/api/reviews/{id}/frame-spec", "get", 200, {}],
    ["/api/reviews/r-a/view", "/api/reviews/{id}/view", "get", 200, {}],
    ["/api/reviews/r-a/frame-view.png", "/api/reviews/{id}/frame-view.png", "get", 404, {}],
    ["/api/reviews/r-z", "/api/reviews/{id}", "get", 404, {}],
    ["/api/reviews/r-b/claim", "/api/reviews/{id}/claim", "post", 200, act({ reviewRevision: 1 })],
    ["/api/reviews/r-b", "/api/reviews/{id}", "get", 200, {}],
    ["/api/reviews/r-b/release", "/api/reviews/{id}/release", "post", 200, act({ reviewRevision: 2 })],
    [
      "/api/reviews/r-c/verdict",
      "/api/reviews/{id}/verdict",
      "post",
      200,
      act({ reviewRevision: 1, verdict: "correct", class: "bad", transaction: "t-1" }),
    ],
    ["/api/reviews/r-c", "/api/reviews/{id}", "get", 200, {}],
    ["/api/reviews/r-c/claim", "/api/reviews/{id}/claim", "post", 409, act({ reviewRevision: 2 })],
  ] as const)("%s: %s, %s %i", async (path, route, method, status, asked) => {
    const { paths } = JSON.parse(readFileSync(FILE, "utf8"));
    const { schema } = paths[route][method].responses[status].content["application/json"];
    const answer = await world.askAs("engineer", path, asked);
    expect(answer.status, answer.text).toBe(status);
    const check = new Ajv2020({ strict: false }).compile(schema);
    expect(check(answer.json), `${JSON.stringify(check.errors)} ${answer.text}`).toBe(true);
  });
});

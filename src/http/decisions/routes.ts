/** Decisions over HTTP: to be looked through page by page, or taken away whole. */

import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import {
  type DecisionsFilter,
  type DecisionsQuery,
  DecisionsQuerySchema,
  DecisionsSchema,
  type DecisionView,
  type ExportQuery,
  ExportQuerySchema,
} from "../api-schemas.ts";
import { ApiError } from "../errors.ts";
import type { Guard } from "../guard.ts";
import { replies } from "../replies.ts";
import { CSV_HEADER, csvLine } from "./csv.ts";
import { allOf, type LookBack, pageOf } from "./slices.ts";

export interface DecisionsRoutesOptions {
  /** Without those that would tell of an audit that waits. */
  readonly lookBack: LookBack;
}

/** Each goes through the whole ledger. */
const EXPORTS_MAX = 2;

const FORMATS = {
  csv: { type: "text/csv; charset=utf-8; header=present", head: CSV_HEADER, line: csvLine },
  ndjson: {
    type: "application/x-ndjson; charset=utf-8",
    head: "",
    line: (decision: DecisionView) => `${JSON.stringify(decision)}\n`,
  },
} as const;

export function decisionsRoutes(
  server: FastifyInstance,
  guard: Pick<Guard, "isStillAdmitted">,
  monotonicMs: () => number,
  { lookBack }: DecisionsRoutesOptions,
): void {
  server.get(
    "/decisions",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "Decisions, newest first",
        querystring: DecisionsQuerySchema,
        response: replies(DecisionsSchema),
      },
    },
    async (request) => {
      const { limit, before, ...filter } = request.query as DecisionsQuery;
      return pageOf(lookBack, checked(filter), limit, before);
    },
  );

  let running = 0;
  async function* lines(request: FastifyRequest, { format, ...filter }: ExportQuery): AsyncGenerator<string> {
    const { head, line } = FORMATS[format];
    if (head !== "") yield head;
    for await (const decisions of allOf(lookBack, filter, monotonicMs)) {
      // It may go on for long: who has been put out meanwhile gets no more.
      if (!guard.isStillAdmitted(request)) throw new Error("the session has ended");
      if (decisions.length > 0) yield decisions.map(line).join("");
    }
  }

  server.get(
    "/decisions/export",
    {
      exposeHeadRoute: false,
      config: { needs: "viewer" },
      schema: {
        summary: "All decisions that match, newest first, as a file",
        querystring: ExportQuerySchema,
        response: {
          ...replies(DecisionsSchema, 503),
          200: {
            description: "Comes slowly where frames are to be judged meanwhile.",
            content: Object.fromEntries(
              Object.values(FORMATS).map(({ type }) => [
                type.split(";", 1)[0]!,
                { schema: { type: "string" } },
              ]),
            ),
          },
        },
      },
    },
    (request, reply) => {
      const query = request.query as ExportQuery;
      checked(query);
      if (running >= EXPORTS_MAX) {
        throw new ApiError(503, "unavailable", "others are being exported; try again when they are done", {
          "retry-after": "10",
        });
      }
      running++;
      const stream = Readable.from(lines(request, query));
      stream.once("close", () => running--);
      const name = `decisions-${query.station ?? "all"}.${query.format}`;
      return reply
        .header("content-disposition", `attachment; filename="${name}"`)
        .header("content-security-policy", "sandbox; default-src 'none'")
        .type(FORMATS[query.format].type)
        .send(stream);
    },
  );
}

/** What the schema cannot say. */
function checked<Filter extends DecisionsFilter>(filter: Filter): Filter {
  for (const name of ["from", "to"] as const) {
    const time = filter[name];
    if (time !== undefined && Number.isNaN(Date.parse(time)))
      throw new ApiError(400, "malformed", `querystring.${name}: ${time} is no time`);
  }
  return filter;
}

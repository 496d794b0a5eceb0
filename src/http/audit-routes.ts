/** Audits over HTTP: what they come to at a station, and which there are. */

import type { FastifyInstance } from "fastify";
import type { Audit, AuditAnswer } from "../core/audit.ts";
import type { AuditBook } from "../gateway/ports.ts";
import { StationParamsSchema } from "./api-schemas.ts";
import {
  type AuditsQuery,
  AuditsQuerySchema,
  AuditsSchema,
  type AuditsView,
  StationAuditsSchema,
  type StationAuditsView,
} from "./audit-schemas.ts";
import { notFound } from "./errors.ts";
import { replies } from "./replies.ts";

export interface AuditRoutesOptions {
  readonly audits: Pick<AuditBook, "list">;
  /** Undefined where there is no such station. */
  readonly stationAudits: (station: string) => StationAuditsView | undefined;
}

export function auditRoutes(server: FastifyInstance, { audits, stationAudits }: AuditRoutesOptions): void {
  server.get(
    "/stations/:station/audits",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "What the audits of a station's thresholds in force say of its risk",
        params: StationParamsSchema,
        response: replies(StationAuditsSchema, 404),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      const found = stationAudits(station);
      if (found === undefined) throw notFound(`there is no station ${station}`);
      return found;
    },
  );

  server.get(
    "/audits",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "Audits, newest first",
        querystring: AuditsQuerySchema,
        response: replies(AuditsSchema),
      },
    },
    async (request): Promise<AuditsView> => {
      const { station, before, limit } = request.query as AuditsQuery;
      const filter = {
        limit,
        ...(station !== undefined && { station }),
        ...(before !== undefined && { before }),
      };
      const found = audits.list(filter);
      const last = found.at(-1);
      return {
        audits: found.map(auditView),
        ...(found.length === limit && last !== undefined && { next: last.id }),
      };
    },
  );
}

function auditView(audit: Audit): AuditsView["audits"][number] {
  const { id, station, source, frame, part, revision, bundle, pi, teacher, person } = audit;
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    ...{ id, station, source, frame, part, revision, bundle, pi },
    drawnAt: time(audit.drawnAtMs),
    deadline: time(audit.deadlineAtMs),
    teacher: teacher.kind,
    person: person.kind,
    // Whether the teacher agrees is a hint at what the student said, which a reviewer must not have.
    unfaithful: person.kind === "waiting" ? null : badOf(teacher),
    wrong: badOf(person),
  };
}

function badOf(answer: AuditAnswer): boolean | null {
  return answer.kind === "answered" ? answer.bad : null;
}

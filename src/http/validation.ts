/** How requests are checked: strictly, unknown members refused; only what stands in a URL is read as a number. */

import { Ajv2020 } from "ajv/dist/2020.js";
import type { FastifyInstance, FastifySchemaCompiler } from "fastify";

const OPTIONS = { allErrors: false, strict: true, useDefaults: true, removeAdditional: false } as const;

export function checkStrictly(server: FastifyInstance): void {
  const bodies = new Ajv2020({ ...OPTIONS, coerceTypes: false });
  const urls = new Ajv2020({ ...OPTIONS, coerceTypes: true });
  const compile: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
    (httpPart === "body" ? bodies : urls).compile(schema);
  server.setValidatorCompiler(compile);
  // Replies are made here: their schemas document them, and tests hold them to those.
  server.setSerializerCompiler(() => (body) => JSON.stringify(body));
}

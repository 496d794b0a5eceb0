/** Where systemd's credentials are, for a command that runs beside the service that gets them. */

import { existsSync } from "node:fs";
import type { Config } from "../../config/schema.ts";

const OF_SERVICE = /^\/run\/credentials\/sekisho(?:@([^/]+))?\.service\/secret_(.+)$/;
const SOURCE = "/etc/sekisho/credentials";

/** The same configuration, with each credential that only the service has read from where the unit loads it. */
export function withCredentialSources(config: Config): Config {
  const { broker } = config;
  const { usernameFile, passwordFile, tls } = broker;
  return {
    ...config,
    broker: {
      ...broker,
      ...(usernameFile !== undefined && { usernameFile: sourceOf(usernameFile) }),
      ...(passwordFile !== undefined && { passwordFile: sourceOf(passwordFile) }),
      ...(tls !== undefined && {
        tls: Object.fromEntries(Object.entries(tls).map(([key, file]) => [key, sourceOf(file)])),
      }),
    },
  };
}

function sourceOf(file: string): string {
  const [, instance, name] = OF_SERVICE.exec(file) ?? [];
  if (name === undefined || existsSync(file)) return file;
  return [SOURCE, ...(instance === undefined ? [] : [instance]), name].join("/");
}

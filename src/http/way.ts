/** By which way a request may come: from whom, and under which name. */

import type { FastifyRequest } from "fastify";
import { ApiError } from "./errors.ts";

export interface WayOptions {
  /** Name or address that the gateway listens on. */
  readonly host: string;
  /** By which people reach the gateway, beside its own address. */
  readonly publicUrl: string | undefined;
  /** Whether who is connected may be listened to at all. */
  readonly isPeer: (address: string | undefined) => boolean;
}

/** @returns what throws an ApiError where the request has come another way than people are to come */
export function createWay({ host, publicUrl, isPeer }: WayOptions): (request: FastifyRequest) => void {
  const publicHost = publicUrl === undefined ? undefined : new URL(publicUrl).hostname;

  /**
   * A page of somebody else's may have its name resolve to this address (DNS rebinding), and is then of the same
   * origin; but its requests bear its name. An address that is no name cannot be made to point elsewhere.
   */
  function checkHost(request: FastifyRequest): void {
    const found = hostOf(request.host);
    const { localAddress = "" } = request.socket;
    const own = ["localhost", host, localAddress.replace(/^::ffff:/, ""), publicHost];
    if (found !== undefined && own.includes(found)) return;
    throw new ApiError(
      403,
      "foreign-host",
      "this gateway is not known under that name; set http.publicUrl to the address that people use",
    );
  }

  return (request) => {
    if (!isPeer(request.socket.remoteAddress)) {
      throw new ApiError(
        403,
        "not-by-proxy",
        "this gateway is reached through its proxy only, since what comes to it directly travels in the clear",
      );
    }
    checkHost(request);
  };
}

/** The name in a Host header, without its port; undefined where it is none. */
function hostOf(host: string): string | undefined {
  if (!/^[A-Za-z0-9.\-:[\]]{1,255}$/.test(host) || !URL.canParse(`http://${host}/`)) return undefined;
  return new URL(`http://${host}/`).hostname.replace(/^\[|\]$/g, "");
}

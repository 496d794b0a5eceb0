/** Reads a broker's URL, and keeps credentials out of everything that is written anywhere. */

export interface BrokerAddress {
  readonly protocol: "mqtt" | "mqtts" | "ws" | "wss";
  readonly host: string;
  readonly port: number | undefined;
  /** For WebSockets: path and query. */
  readonly path: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** How the broker is named in events and errors: no credentials, no query. */
  readonly name: string;
}

const EXPECTED = "expected a broker url such as mqtt://broker.plant:1883 or mqtts://broker.plant:8883";

/** @throws Error that says what was expected; it does not quote a URL that cannot be read, which may hold a password */
export function readBrokerUrl(text: string): BrokerAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`${EXPECTED}; the one given is no url`);
  }
  const protocol = url.protocol.slice(0, -1);
  if (protocol !== "mqtt" && protocol !== "mqtts" && protocol !== "ws" && protocol !== "wss") {
    throw new Error(`${EXPECTED} (or ws, wss), found the scheme "${protocol}"`);
  }
  if (url.hostname === "") throw new Error(`${EXPECTED}, found one without a host`);
  const webSocket = protocol === "ws" || protocol === "wss";
  const path = webSocket ? url.pathname : "";
  return {
    protocol,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? undefined : Number(url.port),
    path: webSocket ? `${url.pathname}${url.search}` : undefined,
    username: url.username === "" ? undefined : decoded(url.username, "user name"),
    password: url.password === "" ? undefined : decoded(url.password, "password"),
    name: `${protocol}://${url.host}${path === "/" ? "" : path}`,
  };
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(
      `${EXPECTED}; the ${what} in the one given has a "%" that is not followed by two hex digits`,
    );
  }
}

/** Takes credentials out of a text that others wrote: whatever stands between `//` and the last `@` behind it. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/\S*@/g, "//");
}

/** Why a broker cannot be reached, or refuses, as what is to be done. */

/** The broker's words, and those of the system on the way to it, as what to do. */
export function adviceOn(reason: string): string {
  const advice = ADVICE.find(([words]) => words.test(reason));
  return advice === undefined ? "look into the broker's log at this moment" : advice[1];
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, "nothing listens there: start the broker, or correct host and port in broker.url"],
  [/ENOTFOUND|EAI_AGAIN/, "the host in broker.url has no address: correct it, or see to the name server"],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|connack timeout/i, "see network and firewall between here and there"],
  [/altname|not in the cert's list/i, "write a name that is in the broker's certificate in broker.url"],
  [/certificate has expired/i, "renew the broker's certificate"],
  [
    /self-signed|unable to (verify|get)|local issuer/i,
    "put the certificate of the CA that signed the broker's into broker.tls.caFile",
  ],
  [
    /alert|certificate required|unknown ca|bad certificate/i,
    "the broker refuses the gateway's certificate: set broker.tls.certFile and keyFile, signed by a CA that the broker's cafile has, and not expired",
  ],
  [
    /wrong version number|packet length/i,
    "one side speaks TLS, the other does not: mqtt:// or mqtts:// in broker.url",
  ],
  [
    /identifier|client id/i,
    "the broker takes no client of this id: allow sekisho-GATEWAY-intake, -publisher, -control and -answers, or correct gateway in the configuration",
  ],
  [/banned/i, "the broker has banned this client: lift that there"],
  [
    /not authori[sz]ed|bad user|bad username/i,
    "the broker knows no such user, or another password, or takes no client of these ids: see broker.usernameFile and passwordFile, or the certificate's common name; its log says which",
  ],
  [
    /ended the connection|ECONNRESET|EPIPE/,
    "the broker hung up without a word: it may want TLS (mqtts://) or speak none (mqtt://), or want a client certificate (broker.tls.certFile); its log says why",
  ],
];

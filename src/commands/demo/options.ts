/** What the demo's options may be; anything else is wrong usage. */

import { InvalidArgumentError } from "commander";

/** Of a rate or a number of seconds: a day's worth, and far within what a timer takes. */
const OPTION_MAX = 86_400;

export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= OPTION_MAX) return value;
  throw new InvalidArgumentError(`Expected a number above 0 and up to ${OPTION_MAX}.`);
}

export function brokerAddress(text: string): string {
  const isAddress = /^(mqtts?|wss?):\/\//.test(text) && URL.canParse(text);
  const { hostname, username, password } = new URL(isAddress ? text : "mqtt://");
  if (hostname === "") throw new InvalidArgumentError("Expected an address such as mqtt://host:1883.");
  if (username === "" && password === "") return text;
  throw new InvalidArgumentError("The demo brings no credentials: give it a broker that asks for none.");
}

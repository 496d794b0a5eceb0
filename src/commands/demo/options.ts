/** What the demo's options may be; anything else is wrong usage. */

import { InvalidArgumentError } from "commander";

/** A number above 0 and up to `max`. */
export function positive(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (value > 0 && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number above 0 and up to ${max}.`);
  };
}

export function brokerAddress(text: string): string {
  const isAddress = /^(mqtts?|wss?):\/\//.test(text) && URL.canParse(text);
  const { hostname, username, password } = new URL(isAddress ? text : "mqtt://");
  if (hostname === "") throw new InvalidArgumentError("Expected an address such as mqtt://host:1883.");
  if (username === "" && password === "") return text;
  throw new InvalidArgumentError("The demo brings no credentials: give it a broker that asks for none.");
}

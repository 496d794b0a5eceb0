/** Who may connect where the gateway itself speaks no TLS: its proxies, and programs on this machine. */

import { BlockList, isIPv6 } from "node:net";

const LOOPBACK = ["127.0.0.0/8", "::1"];

/** @param networks addresses, or networks such as 10.0.0.0/24 */
export function peersOf(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const network of [...LOOPBACK, ...networks]) {
    const [address, bits] = network.split("/") as [string, string?];
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    if (address === undefined) return false;
    const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
    return list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  };
}

const LOOPBACK_PEERS = peersOf([]);

/** Whether who is connected is on this machine. */
export function isLoopback(address: string | undefined): boolean {
  return LOOPBACK_PEERS(address);
}

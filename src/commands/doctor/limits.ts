/** What a broker of MQTT 5 says it takes, against what the gateway will need of it. */

import type { Config } from "../../config/schema.ts";
import type { Probe } from "../../mqtt/probe.ts";
import { receiveMaximumOf } from "../daemon-parts.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

/** As a broker means it that names none. */
const RECEIVE_MAXIMUM_MOST = 65_535;
/** Topic and properties beside a frame. */
const PACKET_EXTRA_BYTES = 1024;

export function limitFindings(config: Config, { version, limits }: Probe): readonly Finding[] {
  if (version !== "5") return [];
  const shared = Object.entries(config.stations).find(([, { frames }]) => frames.topic.startsWith("$share/"));
  return [
    receiveMaximum(config, limits.receiveMaximum ?? RECEIVE_MAXIMUM_MOST),
    ...(limits.maximumPacketSize === undefined ? [] : [packetSize(config, limits.maximumPacketSize)]),
    // mqtt.js gives the number on the wire, 0 or 1, as true and false.
    ...(Number(limits.retainAvailable ?? 1) === 1
      ? []
      : [
          warn(
            "retained",
            "the broker retains nothing",
            "who subscribes late does not see the gateway's state: allow retained messages",
          ),
        ]),
    ...(shared === undefined || Number(limits.sharedSubscriptionAvailable ?? 1) === 1
      ? []
      : [
          fail(
            "shared",
            `station ${shared[0]} shares its load, and the broker has no shared subscriptions`,
            "subscribe without $share/, by one gateway a station, or take a broker that has them",
          ),
        ]),
  ];
}

function receiveMaximum(config: Config, broker: number): Finding {
  const own = receiveMaximumOf(config);
  const found = `the broker takes ${broker} messages at a time, the gateway ${own}`;
  return broker >= own
    ? ok("receive maximum", found)
    : warn(
        "receive maximum",
        found,
        `decisions wait for each other: set max_inflight_messages ${own} in mosquitto.conf (docs/mosquitto.conf)`,
      );
}

function packetSize({ stations }: Config, most: number): Finding {
  const needed = Math.max(...Object.values(stations).map(({ frames }) => frames.frameBytesMax));
  const found = `the broker takes packets of ${most} bytes, frames may have ${needed}`;
  return most >= needed + PACKET_EXTRA_BYTES
    ? ok("packet size", found)
    : warn(
        "packet size",
        found,
        "larger frames never come: raise max_packet_size there, or lower frames.frameBytesMax to what comes",
      );
}

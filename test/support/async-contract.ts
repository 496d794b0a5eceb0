/** docs/asyncapi.yaml as a neighbour uses it: which message a payload on a topic is, or what is wrong with it. */

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { lookUp, readYaml } from "./published-yaml.ts";

export interface AsyncDocument {
  readonly channels: Readonly<
    Record<
      string,
      {
        readonly address: string | null;
        readonly messages: Readonly<Record<string, { readonly $ref: string }>>;
      }
    >
  >;
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly action: "send" | "receive";
        readonly channel: { readonly $ref: string };
        readonly bindings: { readonly mqtt: { readonly qos: 0 | 1; readonly retain?: boolean } };
      }
    >
  >;
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly payload?: object; readonly contentType: string }>>;
  };
}

export interface AsyncContract {
  readonly document: AsyncDocument;
  /** Names of the messages that the gateway sends. */
  readonly sent: readonly string[];
  /** The channel of a topic; undefined where the document knows none. */
  channelOf(topic: string): string | undefined;
  /** The name of the one message that this payload is; else what is wrong. */
  recognise(topic: string, payload: unknown): { readonly message: string } | { readonly problem: string };
  /** The QoS at which the gateway says or hears what is on this channel, and whether the broker keeps it. */
  deliveryOf(channel: string): { readonly qos: 0 | 1; readonly retain?: boolean };
}

/** @param document docs/asyncapi.yaml where left out */
export function asyncContract(document: AsyncDocument = readYaml("asyncapi.yaml")): AsyncContract {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  const checks = new Map<string, ValidateFunction>(
    Object.entries(document.components.messages).flatMap(([name, { payload }]) =>
      payload === undefined ? [] : [[name, ajv.compile(payload)] as const],
    ),
  );
  const places = Object.entries(document.channels).flatMap(([name, { address, messages }]) =>
    address === null ? [] : [{ name, pattern: patternOf(address), messages: Object.keys(messages) }],
  );
  const operations = Object.values(document.operations);
  const channelNamed = (reference: string): string => reference.slice(reference.lastIndexOf("/") + 1);
  return {
    document,
    sent: operations
      .filter(({ action }) => action === "send")
      .flatMap(({ channel }) =>
        Object.keys((lookUp(document, channel.$ref) as AsyncDocument["channels"][string]).messages),
      ),
    channelOf: (topic) => places.find(({ pattern }) => pattern.test(topic))?.name,
    recognise(topic, payload) {
      const place = places.find(({ pattern }) => pattern.test(topic));
      if (place === undefined) return { problem: `no channel has the topic ${topic}` };
      const fitting = place.messages.filter((name) => checks.get(name)!(payload));
      if (fitting.length === 1) return { message: fitting[0]! };
      const why = place.messages.map((name) => `${name}: ${ajv.errorsText(checks.get(name)!.errors)}`);
      return {
        problem:
          fitting.length > 1
            ? `${topic}: it could be any of ${fitting.join(", ")}`
            : `${topic}: ${JSON.stringify(payload)} is none of them; ${why.join("; ")}`,
      };
    },
    deliveryOf: (channel) =>
      operations.find((one) => channelNamed(one.channel.$ref) === channel)!.bindings.mqtt,
  };
}

function patternOf(address: string): RegExp {
  return new RegExp(`^${address.replaceAll(/\{[a-z]+\}/g, "[^/]+")}$`);
}

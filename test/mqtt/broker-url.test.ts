import { expect, test } from "vitest";
import { readBrokerUrl, withoutCredentials } from "../../src/mqtt/broker-url.ts";
import { checkTls } from "../../src/mqtt/client-options.ts";

test("a url is read into its parts, and named without credentials", () => {
  expect(readBrokerUrl("mqtts://gate%40way:se%2Fcret@broker.plant:8884")).toEqual({
    protocol: "mqtts",
    host: "broker.plant",
    port: 8884,
    path: undefined,
    username: "gate@way",
    password: "se/cret",
    name: "mqtts://broker.plant:8884",
  });
  expect(readBrokerUrl("ws://h/mqtt?token=secret")).toMatchObject({
    path: "/mqtt?token=secret",
    name: "ws://h/mqtt",
  });
  expect(readBrokerUrl("mqtt://[::1]:1883")).toMatchObject({ host: "::1", name: "mqtt://[::1]:1883" });
  expect(readBrokerUrl("mqtt://h")).toMatchObject({ port: undefined, username: undefined });
});

test.each([
  ["secret@nowhere", /is no url/],
  ["mqtt://user:secret@host:notaport", /is no url/],
  ["http://user:secret@host", /found the scheme "http"/],
  ["mqtt://", /no url|without a host/],
  ["mqtt://user:secret%zz@host", /the password in the one given has a "%"/],
])("what is wrong with a url is said without quoting it: %#", (url, words) => {
  let text = "";
  try {
    readBrokerUrl(url);
  } catch (error) {
    text = (error as Error).message;
  }
  expect(text).toMatch(words);
  expect(text).toContain("expected a broker url such as mqtt://");
  expect(text).not.toContain("secret");
});

test.each([
  ["cannot reach mqtt://u:p@h:1883 now", "cannot reach mqtt://h:1883 now"],
  ["wss://u:p/with@signs@h/x", "wss://h/x"],
  ["connect ECONNREFUSED 127.0.0.1:1883", "connect ECONNREFUSED 127.0.0.1:1883"],
])("credentials are cut out of texts that others wrote: %j", (text, expected) => {
  expect(withoutCredentials(text)).toBe(expected);
});

test("TLS files that can never work are refused at once", () => {
  const pem = Buffer.from("no certificate");
  const at = (url: string) => readBrokerUrl(url);
  expect(() => checkTls({ ca: pem }, at("mqtt://h"))).toThrow("mqtt://h is not encrypted; write mqtts://");
  expect(() => checkTls({ cert: pem }, at("mqtts://h"))).toThrow("a certificate needs its key");
  expect(() => checkTls({ cert: pem, key: pem }, at("mqtts://h"))).toThrow(/TLS to mqtts:\/\/h: /);
  expect(() => checkTls({}, at("mqtt://h"))).not.toThrow();
  expect(() => checkTls(undefined, at("mqtt://h"))).not.toThrow();
});

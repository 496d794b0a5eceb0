/** The naive Node peer: mqtt.js and onnxruntime-node as their manuals show them; one frame at a time, no ledger. */

import { connectAsync } from "mqtt";
import { InferenceSession, Tensor } from "onnxruntime-node";

const [url, studentFile, prefix, decisions, kind, qos] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  "image" | "signal",
  "0" | "1",
];

const session = await InferenceSession.create(studentFile, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const client = await connectAsync(url, { protocolVersion: 5 });

client.on("message", async (topic, payload) => {
  const frame = topic.slice(topic.lastIndexOf("/") + 1);
  const input = kind === "image" ? imageTensor(payload) : signalTensor(payload);
  const outputs = await session.run({ input });
  const logits = outputs.logits!.data as Float32Array;
  const largest = Math.max(...logits);
  const weights = Array.from(logits, (z) => Math.exp(z - largest));
  const sum = weights.reduce((a, b) => a + b);
  const classIndex = logits.indexOf(largest);
  const decision = { frame, classIndex, confidence: weights[classIndex]! / sum };
  client.publish(decisions, JSON.stringify(decision), { qos: Number(qos) as 0 | 1 });
});
await client.subscribeAsync(`${prefix}/+/frames/+`, { qos: 1 });
process.stdout.write("judging frames\n");
process.once("SIGTERM", () => client.end(true, () => process.exit()));

function imageTensor(payload: Buffer): Tensor {
  const values = new Float32Array(payload.length);
  for (let i = 0; i < values.length; i++) values[i] = payload[i]! / 255;
  return new Tensor("float32", values, [1, 1, 28, 28]);
}

function signalTensor(payload: Buffer): Tensor {
  // Copied, since a payload need not begin where a float may.
  return new Tensor("float32", new Float32Array(Uint8Array.from(payload).buffer), [1, 1, 2048]);
}

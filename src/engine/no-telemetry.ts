/**
 * ONNX Runtime's own telemetry, switched off: left on, each engine would report to its maker over the network
 * and keep a device id and a database in the user's home. Import it ahead of onnxruntime-node, which reads the
 * variable once, when its library is loaded.
 */

import process from "node:process";

process.env.ORT_DISABLE_TELEMETRY = "1";

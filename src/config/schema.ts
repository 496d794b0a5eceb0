/** The schema of `sekisho.yaml`, and the type that it gives. */

import Type, { type Static } from "typebox";
import { Audits } from "./audits.ts";
import { closed, File, NAME, NAME_PATTERN } from "./common.ts";
import { Http } from "./http.ts";
import { Review } from "./review.ts";
import { Trust } from "./trust.ts";

const Broker = Type.Object(
  {
    url: Type.String({
      pattern: "^(mqtt|mqtts|ws|wss)://",
      description: "Where the broker is; mqtts:// for TLS. Credentials do not belong here.",
    }),
    protocol: Type.Enum(["auto", "5", "3.1.1"], {
      default: "auto",
      description: "MQTT version; auto tries 5 and falls back to 3.1.1.",
    }),
    keepaliveSeconds: Type.Integer({
      minimum: 5,
      maximum: 3600,
      default: 30,
      description: "A connection that is silent for one and a half times as long is given up.",
    }),
    usernameFile: Type.Optional(File("File that holds the user name.")),
    passwordFile: Type.Optional(File("File that holds the password.")),
    tls: Type.Optional(
      Type.Object(
        {
          caFile: Type.Optional(File("Certificates that sign the broker's (PEM).")),
          certFile: Type.Optional(File("This gateway's certificate (PEM).")),
          keyFile: Type.Optional(File("This gateway's private key (PEM).")),
        },
        { ...closed, description: "For mqtts:// and wss://." },
      ),
    ),
    receiveMaximum: Type.Integer({
      minimum: 1,
      maximum: 65535,
      default: 1000,
      description: "Frames the broker may send ahead of their acknowledgement (MQTT 5).",
    }),
    sessionExpirySeconds: Type.Integer({
      minimum: 60,
      maximum: 4_294_967_294,
      default: 604_800,
      description: "How long the broker keeps frames for a gateway that is away (MQTT 5).",
    }),
  },
  { ...closed, description: "The plant's MQTT broker." },
);

const Station = Type.Object(
  {
    frames: Type.Object(
      {
        topic: Type.String({
          minLength: 1,
          description:
            "Where frames come in, with {source} for one level and, on MQTT 3.1.1, {frame} for the id.",
        }),
        encodings: Type.Array(Type.Enum(["raw", "png", "jpeg", "json"]), {
          minItems: 1,
          uniqueItems: true,
          description: "Encodings taken; the first is meant where a message names none.",
        }),
        sources: Type.Optional(
          Type.Array(NAME, {
            minItems: 1,
            uniqueItems: true,
            description: "Sources known; all where left out.",
          }),
        ),
        frameBytesMax: Type.Integer({
          minimum: 1,
          default: 4_194_304,
          description: "A larger message is rejected as too-large, unread.",
        }),
      },
      { ...closed, description: "How the station's frames come in." },
    ),
    bundle: File("Folder of the bundle."),
    thresholds: File("File of the thresholds."),
    shadow: Type.Optional(
      Type.Object(
        {
          bundle: File("Folder of the bundle."),
          thresholds: Type.Optional(
            File("File of its thresholds; where left out, the rule that its certificate chose."),
          ),
        },
        {
          ...closed,
          description:
            "A bundle that judges the same frames beside the live one, and decides nothing; `sekisho shadow promote` puts it in force.",
        },
      ),
    ),
    overload: Type.Enum(["hold", "shed-oldest"], {
      default: "hold",
      description:
        "At `intake.backlogMax`: hold lets the broker wait; shed-oldest rejects the oldest frames that wait, as `shed`.",
    }),
    parts: Type.Optional(
      Type.Object(
        {
          windowSeconds: Type.Integer({
            minimum: 1,
            maximum: 86_400,
            default: 60,
            description:
              "From a part's first frame until it is decided by what has come; never more than ledger.dedupeWindowSeconds.",
          }),
          openMax: Type.Integer({
            minimum: 1,
            maximum: 100_000,
            default: 1000,
            description: "Parts that may be open; at the bound the oldest goes to a person, and is counted.",
          }),
        },
        { ...closed, description: "How frames of one part are put together." },
      ),
    ),
    monitor: Type.Object(
      {
        enabled: Type.Boolean({
          default: true,
          description:
            "Watch for drift and turn amber and red; off too where the envelope keeps no drift statistics.",
        }),
        windowParts: Type.Integer({
          minimum: 1,
          maximum: 100_000,
          default: 20,
          description:
            "One part, drawn at random, speaks for so many of its source in a row: neighbours depend on each other.",
        }),
        windowSeconds: Type.Number({
          minimum: 0,
          maximum: 86_400,
          default: 10,
          description: "A window lasts at least so long.",
        }),
        etaRef: Type.Number({
          exclusiveMinimum: 0,
          maximum: 0.2,
          default: 0.01,
          description: "Probability that the draw of ref misleads the drift test.",
        }),
        etaMonitor: Type.Number({
          exclusiveMinimum: 0,
          maximum: 0.2,
          default: 0.04,
          description: "Probability that a test ever alarms where nothing has changed.",
        }),
      },
      { ...closed, default: {}, description: "The station's monitor." },
    ),
    knownFrames: Type.Optional(
      Type.Object(
        {
          from: File(
            "Frames of which you know what they show: an .npz with frames and labels, or a folder of images, one folder a class.",
          ),
          perAudit: Type.Number({
            exclusiveMinimum: 0,
            maximum: 1,
            default: 0.1,
            description: "How many of them reviewers are asked about for each audit, on average.",
          }),
        },
        { ...closed, description: "Frames that you know, put among the audits: how well do reviewers see?" },
      ),
    ),
    decisionQos: Type.Enum([0, 1], { default: 1, description: "QoS of published decisions." }),
  },
  { ...closed, description: "One stretch of the line: a topic, a bundle and its thresholds." },
);

export const ConfigSchema = Type.Object(
  {
    gateway: Type.String({
      pattern: NAME_PATTERN,
      description: "Name of this gateway, unique on its broker.",
    }),
    broker: Broker,
    stations: Type.Record(NAME, Station, {
      minProperties: 1,
      additionalProperties: false,
      description: "The stations, by name.",
    }),
    intake: Type.Object(
      {
        backlogMax: Type.Object(
          {
            frames: Type.Integer({
              minimum: 1,
              maximum: 65535,
              default: 1000,
              description: "Frames that may wait for an engine, of all stations together.",
            }),
            bytes: Type.Integer({
              minimum: 1024,
              default: 134_217_728,
              description: "Bytes of their payloads; the frame that reaches it is the last one taken.",
            }),
          },
          { ...closed, default: {}, description: "What may wait here; behind it the broker waits." },
        ),
      },
      { ...closed, default: {}, description: "What comes from the broker." },
    ),
    engines: Type.Object(
      {
        count: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 256,
            description:
              "Engine processes in all, shared out among the stations, at least one each; cores - 1 where left out.",
          }),
        ),
        batchMax: Type.Integer({
          minimum: 1,
          maximum: 256,
          default: 128,
          description: "Frames that an engine takes at once, of those that wait; fewer never wait for more.",
        }),
        startDeadlineSeconds: Type.Integer({
          minimum: 1,
          maximum: 3600,
          default: 30,
          description: "How long an engine may take until its golden frames are right, before it is killed.",
        }),
        judgeDeadlineMs: Type.Integer({
          minimum: 100,
          maximum: 3_600_000,
          default: 10_000,
          description: "How long an engine may be at one batch, with the next added, before it is killed.",
        }),
        judgeDeadlinePerFrameMs: Type.Integer({
          minimum: 1,
          maximum: 600_000,
          default: 100,
          description: "Added for each frame of the batch.",
        }),
      },
      { ...closed, default: {}, description: "The processes that run the students." },
    ),
    ledger: Type.Object(
      {
        path: Type.String({
          minLength: 1,
          default: "sekisho.ledger",
          description: "SQLite file of the ledger.",
        }),
        dedupeWindowSeconds: Type.Integer({
          minimum: 1,
          maximum: 31_536_000,
          default: 86_400,
          description: "How long a frame id stands for the same frame of its source.",
        }),
        retentionDays: Type.Integer({
          minimum: 1,
          maximum: 36_500,
          default: 90,
          description:
            "How long decisions are kept; never less than dedupeWindowSeconds. Open reviews, alerts not yet acknowledged and decisions not yet published stay.",
        }),
        bytesMax: Type.Integer({
          minimum: 1_048_576,
          default: 4_294_967_296,
          description:
            "Above it the oldest decisions go before retentionDays have passed, once they are out of the dedupe window.",
        }),
        frameBytesKeptMax: Type.Integer({
          minimum: 0,
          default: 268_435_456,
          description: "Frames kept for their reviews; the oldest make room and are counted. 0 keeps none.",
        }),
        ballastBytes: Type.Integer({
          minimum: 0,
          maximum: 1_073_741_824,
          default: 16_777_216,
          description:
            "Room held in a file beside the ledger and given up on a full disk, for what must still be written; 0 for none.",
        }),
      },
      { ...closed, default: {}, description: "The durable record of all decisions." },
    ),
    review: Review,
    trust: Type.Optional(Trust),
    audits: Audits,
    http: Http,
    log: Type.Object(
      {
        level: Type.Enum(["debug", "info", "warn", "error"], {
          default: "info",
          description: "The least that is logged; one JSON object a line, on standard output.",
        }),
      },
      { ...closed, default: {}, description: "The log." },
    ),
  },
  { ...closed, title: "Sekisho gateway" },
);

export type Config = Static<typeof ConfigSchema>;
export type StationConfig = Config["stations"][string];

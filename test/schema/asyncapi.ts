/** The AsyncAPI document, made of the topics and of the schemas that the program itself goes by. */

import type { TSchema } from "typebox";
import { baseTopics } from "../../src/mqtt/topics.ts";
import { FrameMessageSchema } from "../../src/schema/frame-message.ts";
import {
  DecisionMessageSchema,
  InfoSchema,
  StateSchema,
  StationStatusSchema,
  ThresholdsReplySchema,
} from "../../src/schema/gateway-messages.ts";
import {
  MonitorMessageSchema,
  ReviewAlarmSchema,
  ReviewCloseSchema,
  ReviewOpenSchema,
  ReviewUpdateSchema,
  ThresholdsMessageSchema,
  VerdictReplySchema,
  VerdictSchema,
} from "../../src/schema/review-messages.ts";
import { TeacherRequestSchema, TeacherResponseSchema } from "../../src/schema/teacher-messages.ts";
import { DsseEnvelopeSchema } from "../../src/signing/dsse.ts";

/** As they are written in an address: each stands for a name. */
const PARAMETERS = {
  gateway: "The gateway's name: `gateway` in sekisho.yaml, [A-Za-z0-9_-]{1,64}.",
  station: "A station of it, [A-Za-z0-9_-]{1,64}.",
  source: "A source of the station, [A-Za-z0-9_-]{1,64}; `unknown` where a frame's was no such name.",
  reviewer: "Who answers. The broker's access list or a token vouches for it.",
} as const;

type Parameter = keyof typeof PARAMETERS;
type Direction = "send" | "receive";

interface Channel {
  /** Undefined where the plant's configuration says it. */
  readonly address: string | undefined;
  readonly description: string;
  /** As the gateway sees it. */
  readonly action: Direction;
  readonly messages: readonly string[];
  readonly qos: 0 | 1;
  readonly retain?: true;
  readonly expirySeconds?: number;
  /** The channel on which an answer comes. */
  readonly reply?: string;
}

/** Names that are no words of a topic, so that they can be found again in it. */
const STAND_INS: Readonly<Record<Parameter, string>> = {
  gateway: "GATEWAY-",
  station: "STATION-",
  source: "SOURCE-",
  reviewer: "REVIEWER-",
};

function addressOf(topic: string): string {
  return Object.entries(STAND_INS).reduce((text, [name, found]) => text.replace(found, `{${name}}`), topic);
}

const topics = baseTopics(STAND_INS.gateway);

/** Every topic of `BaseTopics`, by its name there, and the plant's own. */
const CHANNELS: Readonly<Record<string, Channel>> = {
  frames: {
    address: undefined,
    description:
      "The plant's own topics, as each station's `frames.topic` names them. Frames are taken at QoS 1 and acknowledged once their decision is on disk.",
    action: "receive",
    messages: ["frameRaw", "frameImage", "frameJson"],
    qos: 1,
  },
  state: {
    address: topics.state,
    description: "Whether the gateway runs; `offline` is its will.",
    action: "send",
    messages: ["state"],
    qos: 1,
    retain: true,
  },
  info: {
    address: topics.info,
    description: "What the gateway runs.",
    action: "send",
    messages: ["info"],
    qos: 1,
    retain: true,
  },
  station: {
    address: topics.station(STAND_INS.station),
    description: "How a station stands: enough to drive a stack light.",
    action: "send",
    messages: ["stationStatus"],
    qos: 1,
    retain: true,
  },
  decisions: {
    address: topics.decisions(STAND_INS.station, STAND_INS.source),
    description:
      "Every decision, at least once; drop a second one of the same source and frame. The frame's correlation data comes back. Where none has come by your deadline, act as on `review`. At QoS 0 where the station's `decisionQos` says so.",
    action: "send",
    messages: ["decision"],
    qos: 1,
    expirySeconds: 3600,
  },
  reviews: {
    address: topics.reviews(STAND_INS.station),
    description:
      "What waits for a person, what became of it, what the station's monitor says, and what thresholds nothing proves. At least once; a message that comes again is the same bytes, known by `review` and `reviewRevision`, by `monitor`, or by `thresholds`.",
    action: "send",
    messages: ["reviewOpen", "reviewUpdate", "reviewClose", "reviewAlarm", "monitor", "thresholdsMessage"],
    qos: 1,
  },
  verdicts: {
    address: topics.verdicts.replace("+", STAND_INS.reviewer),
    description: "A person's answer to a review.",
    action: "receive",
    messages: ["verdict"],
    qos: 1,
    reply: "verdictResponse",
  },
  verdictResponse: {
    address: topics.response("verdict"),
    description: "Replies to verdicts that name no response topic of their own.",
    action: "send",
    messages: ["verdictReply"],
    qos: 1,
  },
  thresholdsRequest: {
    address: topics.request.replace("+", "thresholds"),
    description: "Signed thresholds; there are no other requests.",
    action: "receive",
    messages: ["thresholdsRequest"],
    qos: 1,
    reply: "thresholdsResponse",
  },
  thresholdsResponse: {
    address: topics.response("thresholds"),
    description: "Replies to thresholds that name no response topic of their own.",
    action: "send",
    messages: ["thresholdsReply"],
    qos: 1,
  },
  teacherRequest: {
    address: topics.teacherRequest,
    description:
      "Parts that were drawn for an audit, to be replayed through the teacher; only where `audits.teacher` is `broker`. `sekisho teacher` answers.",
    action: "send",
    messages: ["teacherRequest"],
    qos: 1,
    reply: "teacherResponse",
  },
  teacherResponse: {
    address: topics.teacherResponse,
    description: "A teacher's answers.",
    action: "receive",
    messages: ["teacherResponse"],
    qos: 1,
  },
};

interface MessageSketch {
  readonly schema?: TSchema;
  readonly summary: string;
  readonly contentType?: string;
  readonly mayNameResponseTopic?: true;
}

const MESSAGES: Readonly<Record<string, MessageSketch>> = {
  frameRaw: {
    summary: "A bare tensor, little-endian, of the bundle's type and shape",
    contentType: "application/octet-stream",
  },
  frameImage: { summary: "A PNG or JPEG file", contentType: "image/png" },
  frameJson: { schema: FrameMessageSchema, summary: "A frame as numbers" },
  state: { schema: StateSchema, summary: "Whether the gateway runs" },
  info: { schema: InfoSchema, summary: "What the gateway runs" },
  stationStatus: { schema: StationStatusSchema, summary: "How a station stands" },
  decision: { schema: DecisionMessageSchema, summary: "What was decided on a frame or a part" },
  reviewOpen: { schema: ReviewOpenSchema, summary: "An alert: a person is to decide" },
  reviewUpdate: { schema: ReviewUpdateSchema, summary: "Claimed, overdue, or standing for more" },
  reviewClose: { schema: ReviewCloseSchema, summary: "Answered, or expired" },
  reviewAlarm: { schema: ReviewAlarmSchema, summary: "An audit has found a part wrong that passed" },
  monitor: { schema: MonitorMessageSchema, summary: "The station's monitor has changed its state" },
  thresholdsMessage: {
    schema: ThresholdsMessageSchema,
    summary: "Thresholds that nothing proves are in force, or others behind them",
  },
  verdict: { schema: VerdictSchema, summary: "A person's answer", mayNameResponseTopic: true },
  verdictReply: { schema: VerdictReplySchema, summary: "What became of a verdict" },
  thresholdsRequest: {
    schema: DsseEnvelopeSchema,
    summary: "Thresholds in a DSSE envelope, signed by trusted persons; see docs/signing.md",
    mayNameResponseTopic: true,
  },
  thresholdsReply: { schema: ThresholdsReplySchema, summary: "What became of thresholds" },
  teacherRequest: { schema: TeacherRequestSchema, summary: "Is this part faithful?" },
  teacherResponse: { schema: TeacherResponseSchema, summary: "A teacher's answer, or why there is none" },
};

const FRAME_HEADERS = {
  type: "object",
  description: "MQTT 5 user properties. On MQTT 3.1.1 the id is a level of the topic, or in the JSON.",
  properties: {
    "frame-id": { type: "string", minLength: 1, maxLength: 128 },
    "part-id": { type: "string", minLength: 1, maxLength: 128 },
    "part-count": { type: "string", pattern: "^[0-9]{1,7}$" },
  },
};

const BINDING = { bindingVersion: "0.2.0" };

function messageOf([name, { schema, summary, contentType, mayNameResponseTopic }]: readonly [
  string,
  MessageSketch,
]) {
  return [
    name,
    {
      title: (schema as { title?: string } | undefined)?.title ?? summary,
      summary,
      contentType: contentType ?? "application/json",
      ...(name.startsWith("frame") && { headers: FRAME_HEADERS }),
      ...(schema !== undefined && { payload: schema }),
      ...(mayNameResponseTopic && {
        bindings: {
          mqtt: {
            responseTopic: {
              type: "string",
              maxLength: 1024,
              description:
                "Where the reply is to go, with the correlation data given; not below the gateway's own topics, nor where it takes frames.",
            },
            ...BINDING,
          },
        },
      }),
    },
  ];
}

function channelOf([name, { address, description, messages }]: readonly [string, Channel]) {
  const text = address === undefined ? null : addressOf(address);
  const named = Object.entries(PARAMETERS).filter(([parameter]) => text?.includes(`{${parameter}}`));
  return [
    name,
    {
      address: text,
      description,
      ...(named.length > 0 && {
        parameters: Object.fromEntries(named.map(([key, says]) => [key, { description: says }])),
      }),
      messages: Object.fromEntries(messages.map((one) => [one, { $ref: `#/components/messages/${one}` }])),
    },
  ];
}

function operationOf([name, { action, messages, qos, retain, expirySeconds, reply }]: readonly [
  string,
  Channel,
]) {
  const messagesOf = (channel: string, names: readonly string[]) =>
    names.map((one) => ({ $ref: `#/channels/${channel}/messages/${one}` }));
  return [
    `${action}${name[0]!.toUpperCase()}${name.slice(1)}`,
    {
      action,
      channel: { $ref: `#/channels/${name}` },
      messages: messagesOf(name, messages),
      bindings: {
        mqtt: {
          ...{ qos, ...(action === "send" && { retain: retain ?? false }) },
          ...(expirySeconds !== undefined && { messageExpiryInterval: expirySeconds }),
          ...BINDING,
        },
      },
      ...(reply !== undefined && {
        reply: {
          channel: { $ref: `#/channels/${reply}` },
          messages: messagesOf(reply, CHANNELS[reply]!.messages),
        },
      }),
    },
  ];
}

/** The whole document. */
export function asyncApi(): object {
  const channels = Object.entries(CHANNELS);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Sekisho over MQTT",
      version: "1",
      description:
        "What an edge inference gateway takes and says, as the gateway sees it: `receive` is what you publish, `send` what you subscribe to. JSON in UTF-8; numbers that are not finite are null. The prose is in docs/reviews.md, docs/frames.md, docs/audits.md and docs/signing.md.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/json",
    servers: {
      plant: {
        host: "{host}",
        protocol: "mqtts",
        description: "The plant's own broker: MQTT 5, or 3.1.1 without response topics and correlation data.",
        variables: { host: { default: "localhost:8883" } },
        bindings: {
          mqtt: {
            lastWill: {
              ...{ topic: "sekisho/GATEWAY/state", qos: 1, retain: true },
              message: 'state "offline", with the number of the session',
            },
            ...BINDING,
          },
        },
      },
    },
    channels: Object.fromEntries(channels.map(channelOf)),
    operations: Object.fromEntries(channels.map(operationOf)),
    components: { messages: Object.fromEntries(Object.entries(MESSAGES).map(messageOf)) },
  };
}

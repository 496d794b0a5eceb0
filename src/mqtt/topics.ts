/** Topics: the pattern a station takes its frames from, and the gateway's own topics under its base. */

import { isId } from "../core/frame.ts";

/** What GATEWAY, STATION and SOURCE may be called, as the source of a regular expression. */
const NAME_PATTERN = "^[A-Za-z0-9_-]{1,64}$";

const NAME = new RegExp(NAME_PATTERN);

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** What a topic says of the frame on it. */
interface TopicMatch {
  readonly source: string;
  /** False where the topic's source level is no name; `source` is then that level as it came. */
  readonly valid: boolean;
  readonly frame: string | undefined;
}

export interface TopicPattern {
  /** What to subscribe to. */
  readonly filter: string;
  /** Whether others may get some of the messages instead. */
  readonly isShared: boolean;
  match(topic: string): TopicMatch | undefined;
}

export interface TopicProblem {
  readonly problem: string;
}

/** A filter's length is a 16-bit number of bytes. */
const TOPIC_BYTES_MAX = 65_535;

const SHARED = /^\$share\/([^/+#]+)\/(.+)$/s;

/**
 * Reads a pattern such as `apparel/{source}/frames/{frame}`.
 * A whole level may be `{source}` (once), `{frame}` (once) or `+`; the last may be `#`. Several gateways that
 * share the load put `$share/GROUP/` in front.
 * @param fixedSource the source of every frame where the pattern has no `{source}`; a name
 */
export function parseTopicPattern(pattern: string, fixedSource = "sensor"): TopicPattern | TopicProblem {
  const shared = SHARED.exec(pattern);
  const levels = (shared ? shared[2]! : pattern).split("/");
  const problem = problemOf(pattern, levels, shared !== null);
  if (problem !== undefined) return { problem };
  const filterLevels = levels.map((level) => (level === "{source}" || level === "{frame}" ? "+" : level));
  const filter = filterLevels.join("/");
  const sourceAt = levels.indexOf("{source}");
  const frameAt = levels.indexOf("{frame}");
  return {
    filter: shared ? `$share/${shared[1]}/${filter}` : filter,
    isShared: shared !== null,
    match(topic) {
      const found = topic.split("/");
      if (!levelsMatch(filterLevels, found)) return undefined;
      const source = sourceAt < 0 ? fixedSource : found[sourceAt]!;
      const frame = frameAt < 0 ? undefined : found[frameAt]!;
      return { source, valid: isName(source), frame: frame !== undefined && isId(frame) ? frame : undefined };
    },
  };
}

function problemOf(pattern: string, levels: readonly string[], shared: boolean): string | undefined {
  const found = `found "${pattern}"`;
  if (pattern === "") return 'expected a topic such as "line/{source}/frames", found an empty one';
  if (pattern.includes("\0")) return "expected a topic without NUL characters";
  if (Buffer.byteLength(pattern) > TOPIC_BYTES_MAX)
    return `expected at most ${TOPIC_BYTES_MAX} bytes of topic`;
  if (!shared && pattern.startsWith("$share/")) {
    return `expected "$share/GROUP/" and a topic behind it, ${found}`;
  }
  for (const [index, level] of levels.entries()) {
    if (level === "{source}" || level === "{frame}") {
      if (levels.indexOf(level) < index) return `expected "${level}" at most once, ${found}`;
    } else if (/[{}]/.test(level)) {
      return `expected "{source}" or "{frame}" as a whole level, found "${level}" in "${pattern}"`;
    } else if (level === "#") {
      if (index < levels.length - 1) return `expected "#" as the last level only, ${found}`;
    } else if (level !== "+" && /[+#]/.test(level)) {
      return `expected a wildcard to be a whole level, found "${level}" in "${pattern}"`;
    }
  }
  return undefined;
}

/** Wildcards do not match a first level that starts with `$`: those topics are the broker's own. */
function wildcardMatches(level: string, index: number): boolean {
  return index > 0 || !level.startsWith("$");
}

function levelsMatch(filter: readonly string[], topic: readonly string[]): boolean {
  for (let i = 0; i < filter.length; i++) {
    const expected = filter[i]!;
    if (expected === "#") return wildcardMatches(topic[0]!, i);
    const level = topic[i];
    if (level === undefined) return false;
    if (expected === "+" ? !wildcardMatches(level, i) : expected !== level) return false;
  }
  return filter.length === topic.length;
}

/** Whether some topic matches both filters; a broker would then deliver its frames to two stations. */
export function filtersOverlap(a: string, b: string): boolean {
  const first = unshared(a).split("/");
  const second = unshared(b).split("/");
  const length = Math.max(first.length, second.length);
  for (let i = 0; i < length; i++) {
    const x = first[i];
    const y = second[i];
    if (x === "#") return y === undefined || wildcardMatches(y, i);
    if (y === "#") return x === undefined || wildcardMatches(x, i);
    if (x === undefined || y === undefined) return false;
    if (x === y) continue;
    if (!(x === "+" && wildcardMatches(y, i)) && !(y === "+" && wildcardMatches(x, i))) return false;
  }
  return true;
}

function unshared(filter: string): string {
  return SHARED.exec(filter)?.[2] ?? filter;
}

/**
 * Whether a reply may go to a topic that a message names: a stranger must not have the gateway publish frames, verdicts
 * or alerts in its own name.
 * @param filters what the gateway itself subscribes to
 */
export function isReplyTopic(topic: string, gateway: string, filters: readonly string[]): boolean {
  if (topic === "" || /[+#\0]/.test(topic) || topic.startsWith("$")) return false;
  if (Buffer.byteLength(topic) > REPLY_TOPIC_BYTES_MAX) return false;
  const base = `sekisho/${gateway}`;
  if ((topic === base || topic.startsWith(`${base}/`)) && !topic.startsWith(`${base}/response/`))
    return false;
  return !filters.some((filter) => filtersOverlap(filter, topic));
}

const REPLY_TOPIC_BYTES_MAX = 1024;

export interface BaseTopics {
  readonly state: string;
  readonly info: string;
  station(station: string): string;
  decisions(station: string, source: string): string;
  reviews(station: string): string;
  /** A filter: verdicts come on BASE/verdicts/REVIEWER. */
  readonly verdicts: string;
  /** A filter: control comes on BASE/request/NAME. */
  readonly request: string;
  /** Where replies go that name no response topic of their own. */
  response(name: string): string;
  /** Audited frames for a teacher, anywhere on the broker. */
  readonly teacherRequest: string;
  /** Its answers. */
  readonly teacherResponse: string;
}

/** @throws RangeError if the gateway's name, or one given later, is no name: it would change the topic */
export function baseTopics(gateway: string): BaseTopics {
  const base = `sekisho/${named("gateway", gateway)}`;
  return {
    state: `${base}/state`,
    info: `${base}/info`,
    station: (station) => `${base}/stations/${named("station", station)}`,
    decisions: (station, source) =>
      `${base}/decisions/${named("station", station)}/${named("source", source)}`,
    reviews: (station) => `${base}/reviews/${named("station", station)}`,
    verdicts: `${base}/verdicts/+`,
    request: `${base}/request/+`,
    response: (name) => `${base}/response/${named("response", name)}`,
    teacherRequest: `${base}/teacher/request`,
    teacherResponse: `${base}/teacher/response`,
  };
}

/**
 * What a teacher subscribes to.
 * @param gateways those it serves; all where there is none
 * @param isShared whether each request goes to one teacher only, which brokers of MQTT 3.1.1 do not promise
 */
export function teacherFilters(gateways: readonly string[], isShared: boolean): readonly string[] {
  const group = isShared ? "$share/sekisho-teacher/" : "";
  const requests = gateways.length === 0 ? ["sekisho/+/teacher/request"] : gateways.map(requestOf);
  return requests.map((filter) => `${group}${filter}`);
}

/** The gateway that asks on this topic; undefined where none does. */
export function askingGateway(topic: string): string | undefined {
  const gateway = topic.split("/")[1] ?? "";
  return isName(gateway) && topic === requestOf(gateway) ? gateway : undefined;
}

function requestOf(gateway: string): string {
  return baseTopics(gateway).teacherRequest;
}

function named(what: string, name: string): string {
  if (isName(name)) return name;
  throw new RangeError(`${what} must match ${NAME_PATTERN}, found ${JSON.stringify(name)}`);
}

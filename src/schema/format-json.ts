/** Writes JSON that a person can read: what fits on a line stays on it. */

const WIDTH_MAX = 100;

/** Pretty JSON with a final newline; NaN and infinities become null, as everywhere in JSON. */
export function formatJson(value: unknown): string {
  return `${format(value, 0)}\n`;
}

function format(value: unknown, depth: number): string {
  const flat = JSON.stringify(value) ?? "null";
  if (typeof value !== "object" || value === null || flat.length + depth * 2 <= WIDTH_MAX)
    return spread(flat, value);
  const inner = "  ".repeat(depth + 1);
  const outer = "  ".repeat(depth);
  if (Array.isArray(value)) {
    if (value.every((entry) => typeof entry === "number" || entry === null)) {
      return `[\n${wrap(value, inner)}\n${outer}]`;
    }
    return `[\n${value.map((entry) => inner + format(entry, depth + 1)).join(",\n")}\n${outer}]`;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const lines = members.map(
    ([key, member]) => `${inner}${JSON.stringify(key)}: ${format(member, depth + 1)}`,
  );
  return `{\n${lines.join(",\n")}\n${outer}}`;
}

/** A short object or array on one line, with a space behind commas and colons. */
function spread(flat: string, value: unknown): string {
  if (typeof value !== "object" || value === null) return flat;
  if (Array.isArray(value))
    return `[${value.map((entry) => spread(JSON.stringify(entry) ?? "null", entry)).join(", ")}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (members.length === 0) return "{}";
  return `{ ${members.map(([key, member]) => `${JSON.stringify(key)}: ${spread(JSON.stringify(member), member)}`).join(", ")} }`;
}

function wrap(numbers: readonly (number | null)[], indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const [i, number] of numbers.entries()) {
    const text = JSON.stringify(number) + (i + 1 < numbers.length ? "," : "");
    if (line !== "" && indent.length + line.length + 1 + text.length > WIDTH_MAX) {
      lines.push(indent + line);
      line = text;
    } else {
      line = line === "" ? text : `${line} ${text}`;
    }
  }
  return [...lines, indent + line].join("\n");
}

/** The JSON Schema of `sekisho.yaml` for editors, made of the one that the gateway checks by. */

/** What is read of a schema here. */
export interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

/** Of what editors read, this draft is understood by all; nothing in the schema needs a later one. */
const DRAFT = "http://json-schema.org/draft-07/schema#";

/**
 * The gateway fills defaults in before it looks for what is missing; an editor does not. So what has a default may be
 * left out.
 */
export function editorSchema(schema: object): object {
  return { $schema: DRAFT, ...optional(schema as Shape) };
}

function optional(shape: Shape): Shape {
  const { properties, patternProperties, items, required } = shape;
  return {
    ...shape,
    ...(properties !== undefined && { properties: each(properties) }),
    ...(patternProperties !== undefined && { patternProperties: each(patternProperties) }),
    ...(items !== undefined && { items: optional(items) }),
    ...(required !== undefined && {
      required: required.filter((key) => properties?.[key]?.default === undefined),
    }),
  };
}

function each(shapes: Readonly<Record<string, Shape>>): Record<string, Shape> {
  return Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, optional(shape)]));
}

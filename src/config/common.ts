/** What the sections of `sekisho.yaml` share. */

import Type from "typebox";

export const closed = { additionalProperties: false } as const;

export const NAME_PATTERN = "^[A-Za-z0-9_-]{1,64}$";
export const NAME = Type.String({ pattern: NAME_PATTERN });

export const File = (description: string) => Type.String({ minLength: 1, description });

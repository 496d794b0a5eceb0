/** The section `trust` of `sekisho.yaml`: whose signatures count, and what must be signed. */

import Type from "typebox";
import { closed, File, NAME } from "./common.ts";

export const Trust = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          person: Type.String({
            ...NAME,
            description: "Whose key it is. Two keys of one person count as one person.",
          }),
          file: File("The public key (PEM), as `sekisho keys new` writes it."),
        },
        { ...closed, description: "One person's public key." },
      ),
      { minItems: 1, maxItems: 256, description: "Whose signatures count." },
    ),
    bundles: Type.Enum(["any", "signed"], {
      default: "any",
      description: "signed: a bundle without `bundle.sig.json`, signed by one of the keys, is refused.",
    }),
  },
  {
    ...closed,
    description: "Without it no signatures are demanded, which the log and the stations' status say.",
  },
);

/** Where `review export` finds ledger and bundles: in the configuration, or as named on the command line. */

import { parseConfig } from "../../config/config.ts";
import type { Surroundings } from "../run.ts";
import { Refusal, refuse } from "../terminal.ts";

export interface ExportPlaces {
  readonly ledger: string;
  /** Folder of a station's bundle. */
  bundleOf(station: string): string | undefined;
  /** Whether it is the same for all, and so right for one of them only. */
  readonly isOneBundle: boolean;
}

export function placesOf(
  { config: file, ledger, bundle }: { config: string; ledger?: string; bundle?: string },
  environment: Surroundings["environment"],
): ExportPlaces {
  if (bundle !== undefined && ledger !== undefined) {
    return { ledger, bundleOf: () => bundle, isOneBundle: true };
  }
  const parsed = parseConfig(file, environment);
  if (!parsed.ok) {
    if (ledger !== undefined && file === "sekisho.yaml") {
      throw new Refusal(
        "--ledger: which bundle judged the frames is not known without a configuration; name it with --bundle",
      );
    }
    return refuse(parsed.problems);
  }
  const { stations, ledger: own } = parsed.value;
  return {
    ledger: ledger ?? own.path,
    bundleOf: (station) => bundle ?? stations[station]?.bundle,
    isOneBundle: bundle !== undefined,
  };
}

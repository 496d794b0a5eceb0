/** The port by which monitors keep, over restarts, how far their tests are. */

export interface MonitorBook {
  /** `told`: the number of the last act that operators have been told of. */
  find(station: string): { readonly state: string; readonly told: number } | undefined;
  save(rows: readonly { readonly station: string; readonly state: string; readonly told: number }[]): void;
  /** The time of the last decision; undefined before the first. */
  lastDecisionAtMs(): number | undefined;
}

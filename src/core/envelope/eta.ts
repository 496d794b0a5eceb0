/** The eta ledger: how a revision's failure probability is shared out before any count is looked at. */

/** Points of the coarse grid, on which tables and choices lie. */
export const COARSE_POINTS = 32;
const WALK_SHARE = 0.5;
const FULL_SET_SHARE = 0.8;
const CLASS_WALK_SHARE = 0.25;

/** Shares of one revision; they add up to no more than `total`. */
export interface EtaShares {
  /** eta_r = 6 eta / (pi^2 r^2), which sums to eta over all revisions. */
  readonly total: number;
  /** Of the walk on each set of the chain. */
  readonly walk: readonly number[];
  /** Of the walk of each class. */
  readonly classWalk: number;
  /** Of each cell of the tables. */
  readonly cell: number;
}

/**
 * Shares of revision r: half to the station's walks, 80% of that on S_0 and the rest equally over the sets after
 * it; a quarter to the walks of the classes, equally; a quarter to the tables, equally over classes x coarse class
 * cells and chain x coarse station cells.
 * @param eta failure probability of the certificate over all its revisions, in (0, 1)
 * @param revision from 1
 * @param classes K
 * @param chain number of sets in the chain
 * @throws RangeError outside those ranges
 */
export function etaShares(eta: number, revision: number, classes: number, chain: number): EtaShares {
  if (!(eta > 0 && eta < 1)) throw new RangeError(`eta lies in (0, 1), got ${eta}`);
  if (!(Number.isSafeInteger(revision) && revision >= 1)) {
    throw new RangeError(`revisions count from 1, got ${revision}`);
  }
  if (!(Number.isSafeInteger(classes) && Number.isSafeInteger(chain) && classes >= 1 && chain >= 0)) {
    throw new RangeError(`expected classes >= 1 and a chain, got ${classes} and ${chain}`);
  }
  const total = (6 * eta) / (Math.PI ** 2 * revision ** 2);
  const walking = total * WALK_SHARE;
  const walk = Array.from({ length: chain }, (_, m) => {
    if (chain === 1) return walking;
    return m === 0 ? walking * FULL_SET_SHARE : (walking * (1 - FULL_SET_SHARE)) / (chain - 1);
  });
  return {
    total,
    walk,
    classWalk: (total * CLASS_WALK_SHARE) / classes,
    cell: (total * (1 - WALK_SHARE - CLASS_WALK_SHARE)) / ((classes + chain) * COARSE_POINTS),
  };
}

/**
 * Memory that the intake reads into, used again and again. A frame's payload is a view of the slab that it was read
 * into, so that it is copied nowhere; the slab is free when the gateway is done with all of its frames.
 */

/** A stretch of memory, and how many frames lie in it that are not done with. */
export interface Slab {
  readonly bytes: Buffer;
  /** Is given away with each frame, and comes back with `release`. */
  hold(): void;
  /** Once for each `hold`: whatever looks at that frame's payload from here on sees another's. */
  release(): void;
  /**
   * Never to be used again: frames in it may have been dropped without a word. It goes with the last that looks at it.
   */
  abandon(): void;
  /** Nothing more is read into it. */
  close(): void;
  /** No frame lies in it. */
  readonly isIdle: boolean;
}

export interface Slabs {
  /** @param bytesMin what it must have room for */
  take(bytesMin: number): Slab;
}

/** Some dozen frames of a vibration sensor; of larger ones each has a slab of its own. */
export const SLAB_BYTES = 128 * 1024;

/** Kept free, 8 MB at most: what a window of 1,000 frames of 8 kB takes. Others are left to the garbage collector. */
const FREE_MAX = 64;

/** @param onFree called with memory that is about to be used again */
export function createSlabs(onFree: (bytes: Buffer) => void = () => {}): Slabs {
  // The last one back is the first to go out: its memory is the likeliest to be in the processor's cache.
  const free: Buffer[] = [];

  function slabOf(bytes: Buffer): Slab {
    let held = 0;
    let isOpen = true;
    let isAbandoned = false;
    const look = (): void => {
      if (held > 0 || isOpen || isAbandoned) return;
      isAbandoned = true;
      if (bytes.length !== SLAB_BYTES || free.length >= FREE_MAX) return;
      onFree(bytes);
      free.push(bytes);
    };
    return {
      bytes,
      hold: () => void held++,
      release() {
        held--;
        look();
      },
      abandon() {
        isAbandoned = true;
      },
      close() {
        isOpen = false;
        look();
      },
      get isIdle() {
        return held === 0 && !isAbandoned;
      },
    };
  }

  return {
    take(bytesMin) {
      const known = bytesMin <= SLAB_BYTES ? free.pop() : undefined;
      return slabOf(known ?? Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytesMin)));
    },
  };
}

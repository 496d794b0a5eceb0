/** The console's icons: strokes in the colour of the text beside them, never alone where they mean something. */

const PATHS = {
  review: "M4 5h16v11H9l-5 4zM8.5 10.5l2.3 2.3 4.7-4.6",
  line: "M3 19h18M5 15l4-5 4 3 6-8",
  thresholds: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4v6M9 14v6",
  ledger: "M6 3h12v18H6zM9.5 8h5M9.5 12h5M9.5 16h3",
  check: "M4.5 12.5l5 5 10-11",
  cross: "M6 6l12 12M18 6L6 18",
  warning: "M12 3.5L22 20H2zM12 10v4.5M12 17.3v.2",
  info: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 11v5.5M12 7.6v.2",
  unusable: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M5.8 5.8l12.4 12.4",
  hand: "M7 12V6.5a1.5 1.5 0 0 1 3 0V11V4.5a1.5 1.5 0 0 1 3 0V11V5.5a1.5 1.5 0 0 1 3 0V12V8a1.5 1.5 0 0 1 3 0v6.5c0 4-2.5 6.5-6 6.5s-5-1.5-6.5-4.5L3.8 13c-.8-1.6 1.2-2.6 2.2-1.2z",
  clock: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 7v5.5l3.5 2",
  undo: "M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-4",
  user: "M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8M4 20.5c1-4 4-5.5 8-5.5s7 1.5 8 5.5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M15.5 15.5L20.5 20.5",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  keyboard: "M3 6h18v12H3zM7 10h.2M11 10h.2M15 10h.2M7 14h10M17.8 10h.2",
  plug: "M9 3v6M15 3v6M6 9h12v3a6 6 0 0 1-12 0zM12 18v3",
  unplugged: "M9 3v4M15 3v4M18 9v3a6 6 0 0 1-1.6 4M6 9v3a6 6 0 0 0 6 6v3M3 3l18 18",
  dot: "M12 6a6 6 0 1 0 0 12a6 6 0 0 0 0-12",
  exit: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The gate of a barrier station, as in favicon.svg. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M5 9h22M7 14h18M10 7v19M22 7v19" />
      <path class="mark-bar" d="M10 21.5h12" />
    </svg>
  );
}

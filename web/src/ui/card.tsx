/** A surface that holds one thing, with its heading. */

import type { ComponentChildren } from "preact";

export interface CardProps {
  readonly title?: string;
  /** Beside the title. */
  readonly aside?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Card({ title, aside, class: more = "", children }: CardProps) {
  return (
    <section class={`card ${more}`}>
      {title !== undefined && (
        <header class="card-head">
          <h2>{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

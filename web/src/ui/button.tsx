/** A button for a gloved finger, with the key that does the same. */

import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";

export interface ButtonProps {
  readonly children: ComponentChildren;
  readonly kind?: "primary" | "plain" | "danger" | "quiet";
  readonly icon?: IconName;
  /** Shown in the corner: the key that does the same. */
  readonly keyName?: string | undefined;
  readonly type?: "button" | "submit";
  readonly disabled?: boolean;
  readonly isBusy?: boolean;
  readonly class?: string;
  readonly title?: string;
  readonly onClick?: () => void;
}

export function Button({
  children,
  kind = "plain",
  icon,
  keyName,
  type = "button",
  disabled = false,
  isBusy = false,
  class: more = "",
  title,
  onClick,
}: ButtonProps) {
  return (
    <button
      type={type}
      class={`button ${kind} ${more}`}
      disabled={disabled || isBusy}
      aria-busy={isBusy}
      title={title}
      onClick={onClick}
    >
      {icon !== undefined && <Icon name={icon} />}
      <span class="button-text">{children}</span>
      {keyName !== undefined && (
        <span class="key" aria-hidden="true">
          {keyName}
        </span>
      )}
    </button>
  );
}

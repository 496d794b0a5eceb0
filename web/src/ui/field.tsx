/** A labelled input with a hint and, where it is wrong, what to do. */

import { useId } from "preact/hooks";

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: "text" | "password" | "search" | "number" | "datetime-local";
  readonly hint?: string;
  readonly problem?: string | undefined;
  readonly autocomplete?: string;
  readonly isRequired?: boolean;
  readonly hasFocus?: boolean;
}

export function Field({
  label,
  value,
  onInput,
  type = "text",
  hint,
  problem,
  autocomplete = "off",
  isRequired = false,
  hasFocus = false,
}: FieldProps) {
  const id = useId();
  const isDescribed = hint !== undefined || problem !== undefined;
  return (
    <div class={`field ${problem === undefined ? "" : "is-wrong"}`}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type as "text"} // Of the union that JSX has of inputs any one would do.
        value={value}
        autocomplete={autocomplete}
        autocapitalize="none"
        spellcheck={false}
        required={isRequired}
        autofocus={hasFocus}
        aria-invalid={problem !== undefined}
        aria-describedby={isDescribed ? `${id}-about` : undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {isDescribed && (
        <p id={`${id}-about`} class="field-about">
          {problem ?? hint}
        </p>
      )}
    </div>
  );
}

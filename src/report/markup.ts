/** Markup in which text cannot become tags: whatever is put into a template is escaped, unless it is markup itself. */

/** A piece of HTML or SVG that was built by `markup`. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Fragment = Markup | string | number | readonly Fragment[];

/** Builds a piece of a page. Strings are escaped for elements and quoted attributes; numbers keep three digits. */
export function markup(strings: TemplateStringsArray, ...values: readonly Fragment[]): Markup {
  return new Markup(strings.reduce((text, string, i) => text + fragmentText(values[i - 1] ?? "") + string));
}

export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function fragmentText(fragment: Fragment): string {
  if (fragment instanceof Markup) return fragment.text;
  if (typeof fragment === "string") return escapeText(fragment);
  if (typeof fragment === "number") return String(Math.round(1000 * fragment) / 1000);
  return fragment.map(fragmentText).join("");
}

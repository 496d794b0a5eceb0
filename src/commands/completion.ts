/** `sekisho completion`: what a shell offers behind `sekisho`, read off the command line's own tree. */

import { Argument, type Command } from "commander";
import type { Terminal } from "./terminal.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

interface Offer {
  /** The commands before it, as one word each: "bundle new". */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly says: string }[];
}

export function registerCompletion(program: Command, terminal: Terminal): void {
  program
    .command("completion")
    .description("print a shell's completion, to be read by it")
    .addArgument(new Argument("<shell>", "which").choices(SHELLS))
    .action((shell: Shell) => terminal.out(SCRIPTS[shell](offersOf(program))));
}

/** What may stand behind each command: its subcommands and long options. */
function offersOf(command: Command, path = ""): readonly Offer[] {
  const own = command.commands.map((one) => ({ word: one.name(), says: one.description() }));
  const options = command.options.flatMap(({ long, description }) =>
    long ? [{ word: long, says: description }] : [],
  );
  const below = command.commands.flatMap((one) => offersOf(one, `${path} ${one.name()}`.trim()));
  return [{ path, words: [...own, ...options, { word: "--help", says: "explain" }] }, ...below];
}

const SCRIPTS: Readonly<Record<Shell, (offers: readonly Offer[]) => string>> = {
  bash: bashScript,
  zsh: (offers) => `#compdef sekisho\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(offers)}`,
  fish: fishScript,
};

/** Words that begin with no dash and name a command below lead on; all else ends in file names. */
function bashScript(offers: readonly Offer[]): string {
  const cases = offers.map(
    ({ path, words }) => `    "${path}") echo "${words.map(({ word }) => word).join(" ")}" ;;`,
  );
  return `_sekisho_words() {
  case "$1" in
${cases.join("\n")}
  esac
}
_sekisho() {
  local path="" next word i current="\${COMP_WORDS[COMP_CWORD]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    next="\${path:+$path }$word"
    [[ "$word" != -* && -n "$(_sekisho_words "$next")" ]] && path="$next"
  done
  COMPREPLY=($(compgen -W "$(_sekisho_words "$path")" -- "$current"))
}
complete -o default -F _sekisho sekisho
`;
}

function fishScript(offers: readonly Offer[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = offers.flatMap(({ path, words }) => {
    const seen = path.split(" ").filter((name) => name !== "");
    const below = words.flatMap(({ word }) => (word.startsWith("--") ? [] : [word]));
    const behind = seen.map((name) => `__fish_seen_subcommand_from ${name}`);
    const before = below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(" ")}`];
    const when = [...behind, ...before].join("; and ");
    return words.map(({ word, says }) => {
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c sekisho${when === "" ? "" : ` -n ${quoted(when)}`} ${what} -d ${quoted(says)}`;
    });
  });
  return `${lines.join("\n")}\n`;
}

/** Asks for something secret on a terminal, which does not show what is typed. */

import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Refusal } from "../terminal.ts";

/** @throws Refusal where nobody answers */
export function askSecret(
  prompt: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  // What readline would echo goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  output.write(prompt); // Only now does the terminal itself show nothing.
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      lines.removeAllListeners();
      lines.close();
      output.write("\n");
      settle();
    };
    const noAnswer = (): void => end(() => reject(new Refusal("no password was given; nothing was changed")));
    lines.once("line", (line) => end(() => resolve(line)));
    lines.once("SIGINT", noAnswer);
    lines.once("close", noAnswer);
  });
}

import { isatty } from "node:tty";

/**
 * Whether output to `descriptor` has colours: as `FORCE_COLOR` says, else not with `NO_COLOR`, else
 * on a terminal only.
 */
export function hasColours(descriptor: number, environment: NodeJS.ProcessEnv): boolean {
  const forced = environment["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return isatty(descriptor) && !environment["NO_COLOR"];
}

export type Paint = (code: string, text: string) => string;

/** Colours a text with an ANSI code, such as `31`; returns it unchanged without colours. */
export function painter(colours: boolean): Paint {
  return (code, text) => (colours && text !== "" ? `\u001B[${code}m${text}\u001B[0m` : text);
}

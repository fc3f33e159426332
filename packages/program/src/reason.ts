import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { failureReason, toFailure, type Failure } from "@bullrush/broker";

/** Why a module could not be loaded, on one line, with the place in the code below `directory` where it went wrong, if that is known. */
export function reasonOf(error: unknown, directory: string): string {
  const failure = toFailure(error);
  if (!(error instanceof Error)) return `it throws ${typeof error === "string" ? `"${error}"` : failureReason(failure)}`;
  const [text = "", second = ""] = (error.message || error.name).split("\n").map((line) => line.trim());
  const kind = ["Error", "BullrushError"].includes(error.name) || error.message === "" ? "" : `${error.name}: `;
  // What the compiler says has the place on its second line.
  const place = /^\S.*:\d+:\d+$/.test(second) ? second : (requirerOf(error, directory) ?? placeIn(error.stack ?? "", directory));
  return `${kind}${text}${behind(failure)}${place === undefined ? "" : ` (${relative(directory, place)})`}`;
}

/** What the causes and the parts of `failure` say beyond its own message, on the same line. */
function behind(failure: Failure): string {
  const said = failure.message || failure.name;
  const reason = failureReason(failure);
  return reason.startsWith(said) ? reason.slice(said.length).replace(/\s*\n\s*/g, " ") : "";
}

/** The innermost frame that is not somebody else's code. */
function placeIn(stack: string, directory: string): string | undefined {
  const frames = [...stack.matchAll(/^ +at (?:.* \()?(\S.*:\d+):\d+\)?$/gm)].map(([, place = ""]) =>
    place.startsWith("file:") ? fileURLToPath(place) : place,
  );
  return frames.find((place) => place.startsWith(directory) && !place.includes("node_modules"));
}

/** The file that required what there is not. Not every line of Node has its frame in the stack. */
function requirerOf(error: Error, directory: string): string | undefined {
  const [file] = (error as { readonly requireStack?: readonly unknown[] }).requireStack ?? [];
  return typeof file === "string" && file.startsWith(directory) ? file : undefined;
}

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { failureReason, toFailure, type Failure } from "@bullrush/broker";

/**
 * Why a module could not be loaded, on one line, with the place in the code below `directory`, if
 * it is known.
 */
export function reasonOf(error: unknown, directory: string): string {
  const failure = toFailure(error);
  if (!(error instanceof Error)) return `it throws ${typeof error === "string" ? `"${error}"` : failureReason(failure)}`;
  const [text = "", second = ""] = (error.message || error.name).split("\n").map((line) => line.trim());
  const kind = ["Error", "BullrushError"].includes(error.name) || error.message === "" ? "" : `${error.name}: `;
  // A compiler error has its place on the second line.
  const place = /^\S.*:\d+:\d+$/.test(second) ? second : (requirerOf(error, directory) ?? placeIn(error.stack ?? "", directory));
  return `${kind}${text}${behind(failure)}${place === undefined ? "" : ` (${relative(directory, place)})`}`;
}

/** The messages of the causes and parts of `failure` beside its own, on one line. */
function behind(failure: Failure): string {
  const said = failure.message || failure.name;
  const reason = failureReason(failure);
  return reason.startsWith(said) ? reason.slice(said.length).replace(/\s*\n\s*/g, " ") : "";
}

/** The innermost stack frame in the project's own code. */
function placeIn(stack: string, directory: string): string | undefined {
  const frames = [...stack.matchAll(/^ +at (?:.* \()?(\S.*:\d+):\d+\)?$/gm)].map(([, place = ""]) =>
    place.startsWith("file:") ? fileURLToPath(place) : place,
  );
  return frames.find((place) => place.startsWith(directory) && !place.includes("node_modules"));
}

/** The file that required a missing module; Node's stack does not always show it. */
function requirerOf(error: Error, directory: string): string | undefined {
  const [file] = (error as { readonly requireStack?: readonly unknown[] }).requireStack ?? [];
  return typeof file === "string" && file.startsWith(directory) ? file : undefined;
}

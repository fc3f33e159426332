import { saysDenied } from "./rights.js";

/**
 * Why Redis or the way to it failed, on one line. ioredis hangs the command on its errors, arguments included, so an error of its own is never thrown on,
 * logged or kept as a cause: passwords and payloads would show.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const text = error.message === "" ? code : (error.message.split("\n", 1)[0] ?? "");
  return shownReply(text) || error.name;
}

/** What Redis says in `reply`, without the place in a script and without the arguments of the command. */
export function shownReply(reply: string): string {
  return reply
    .replace(/,? with args beginning with:.*$/, "")
    .replace(/ script: .*$/, "")
    .slice(0, 200);
}

/** Whether Redis answered, with an error, rather than the connection having failed. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether Redis refuses writes for want of memory. */
export function isOutOfMemory(error: unknown): boolean {
  return isReply(error) && /\bOOM\b/.test((error as Error).message);
}

/** Whether it is only for now that Redis refuses: it is loading its data, a replica, or busy with a script. */
export function isPassing(error: unknown): boolean {
  // Too many arguments, say: it fails the same way again.
  if (error instanceof RangeError || error instanceof TypeError) return false;
  return (
    !isReply(error) || /\b(LOADING|READONLY|BUSY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN|NOREPLICAS|UNBLOCKED)\b/.test((error as Error).message)
  );
}

/** Whether Redis refuses the user or the password, or what the user wants to do. */
export function isRefusal(error: unknown): boolean {
  if (!isReply(error)) return false;
  const { message } = error as Error;
  return saysDenied(message) || /^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH|ERR Client sent AUTH)/.test(message);
}

/**
 * Why Redis or the way to it failed, on one line. ioredis keeps the command on its errors, with its
 * arguments: an error of its own is never rethrown to users, logged or kept as a cause, since
 * passwords and payloads would show.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const text = error.message === "" ? code : (error.message.split("\n", 1)[0] ?? "");
  return shownReply(text) || error.name;
}

/** `reply` of Redis without the place in a script and the arguments of the command. */
export function shownReply(reply: string): string {
  return reply
    .replace(/,? with args beginning with:.*$/, "")
    .replace(/ script: .*$/, "")
    .slice(0, 200);
}

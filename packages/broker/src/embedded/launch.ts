import { basename } from "node:path";
import { reasonOf } from "../redis/reason.js";
import { withTimeout } from "../time/with-timeout.js";
import { ask } from "./ask.js";
import type { RedisServer } from "./redis-server.js";
import { type Ended, type Program, type Supervised, supervise } from "./supervised.js";

/** `running`: it answers. `failed`: why it could not be started. */
export type Launch = { readonly type: "running"; readonly server: RedisServer } | { readonly type: "failed"; readonly reason: string };

type Attempt = Launch | { readonly type: "conflict"; readonly port: number };

const attempts = 5;

/** How long a server may take to listen, and then to answer, in ms each; it takes 0.1 to 0.5 s on an idle machine. */
const startDeadline = 15_000;
const answerDeadline = 5000;

/** Starts `program` on a port that `newPort` gives, and on another if somebody else has taken it, up to 5 times. */
export async function launch(program: Program, newPort: () => Promise<number>): Promise<Launch> {
  const taken: number[] = [];
  while (taken.length < attempts) {
    const attempt = await launchOn(program, await newPort());
    if (attempt.type !== "conflict") return attempt;
    taken.push(attempt.port);
  }
  return { type: "failed", reason: `somebody else listens on the ports ${taken.join(", ")}` };
}

async function launchOn(program: Program, port: number): Promise<Attempt> {
  const supervised = supervise(program, port);
  const attempt = await check(program, port, supervised);
  if (attempt.type === "running") supervised.unref();
  else await supervised.stop();
  return attempt;
}

async function check(program: Program, port: number, supervised: Supervised): Promise<Attempt> {
  const late: Ended = { type: "ended", reason: `it did not start within ${startDeadline} ms`, conflict: false };
  const first = await withTimeout(supervised.started, startDeadline, () => late);
  if (first.type === "ended") return first.conflict ? { type: "conflict", port } : { type: "failed", reason: first.reason };
  try {
    const info = await ask({ host: "127.0.0.1", port }, answerDeadline, (client) => client.info("server"));
    const lines = info.split("\r\n");
    return lines.includes(first.mark)
      ? { type: "running", server: running(program, port, version(lines), supervised) }
      : { type: "conflict", port };
  } catch (error) {
    return { type: "failed", reason: reasonOf(error) };
  }
}

function running(program: Program, port: number, release: string, supervised: Supervised): RedisServer {
  const description =
    program.kind === "native"
      ? `${basename(program.binary)} ${release} on PATH, started privately on port ${port}`
      : `embedded Valkey ${release} (WebAssembly) on port ${port}`;
  let stopping = false;
  void supervised.ended.then(({ reason }) => {
    if (!stopping) process.emitWarning(`${description}, has ended by itself, and its data is gone: ${reason}`, { type: "BullrushWarning" });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    kind: program.kind,
    description,
    stop: () => {
      stopping = true;
      return supervised.stop();
    },
  };
}

function version(lines: readonly string[]): string {
  const value = (field: string) => lines.find((line) => line.startsWith(`${field}:`))?.slice(field.length + 1);
  return value("valkey_version") ?? value("redis_version") ?? "of unknown version";
}

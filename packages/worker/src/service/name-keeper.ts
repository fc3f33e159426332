import { BullrushError, nameLifetime, type NameHolder, type WorkerNames } from "@bullrush/broker";
import { redact } from "@bullrush/program";
import type { Logger } from "pino";
import { every } from "./service.js";

export interface NameKeeperOptions {
  readonly names: WorkerNames;
  /** The name that is asked for. */
  readonly name: string;
  /** Whether a number is added to the name if another worker bears it. */
  readonly numbered: boolean;
  /** Fresh for each worker. */
  readonly token: string;
  readonly holder: NameHolder;
}

/** The name of a worker while it lives. */
export interface NameKeeper {
  /** The name that was got. */
  readonly name: string;
  /** Says what is to be said of the name, and keeps it from now on. */
  start(log: Logger): void;
  /** Gives the name up. Resolves within a second; a name that could not be given up is free again a minute later. */
  stop(): Promise<void>;
}

/** Why the name was not claimed, or who else bears it. */
type Doubt = { readonly reason: string } | { readonly other: Partial<NameHolder> };

/** How often a name is claimed again, in ms. */
const interval = nameLifetime / 3;

/** How long it may take to give a name up, in ms. */
const farewell = 1000;

/**
 * Claims a name among those of the workers that live; a numbered one that is taken gets the next number. Rejects if the broker cannot be reached. A broker that refuses, because its user may not, or because it is full, keeps no worker from
 * working: its name may then be another's too.
 */
export async function keepName({ names, name: wanted, numbered, token, holder }: NameKeeperOptions): Promise<NameKeeper> {
  let doubt: Doubt | undefined;
  const name = await choose();

  async function choose(): Promise<string> {
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? wanted : withNumber(wanted, number);
      doubt = await claim(candidate);
      if (doubt === undefined || "reason" in doubt || !numbered) return candidate;
    }
  }

  async function claim(candidate: string): Promise<Doubt | undefined> {
    try {
      const other = await names.claim(candidate, token, holder);
      return other && { other };
    } catch (error) {
      if (isUnreachable(error)) throw unstarted(error);
      return { reason: redact(error instanceof Error ? error.message : String(error)) };
    }
  }

  /** Each once. */
  const said = new Set<string>();

  function say(log: Logger, about: Doubt): void {
    const key = JSON.stringify(about);
    if (said.has(key)) return;
    said.add(key);
    if ("reason" in about) return log.warn({ reason: about.reason }, "the name was not claimed, so another worker may bear it too");
    const { host, pid, startedAt: since } = about.other;
    const facts = { host, pid, ...(since !== undefined && { since: new Date(since).toISOString() }) };
    log.warn(facts, "another worker bears this name, or has ended without a stop in the last minute: -n gives this one another");
  }

  const claims = (log: Logger) =>
    every(interval, (stopped) => {
      claim(name).then(
        (about) => {
          if (about !== undefined && !stopped.aborted) say(log, about);
        },
        // The lines of an outage are those of others.
        () => undefined,
      );
    });
  let keeping: ReturnType<typeof every> | undefined;

  return {
    name,
    start: (log) => {
      if (doubt !== undefined) say(log, doubt);
      keeping = claims(log);
      keeping.start();
    },
    stop: async () => {
      keeping?.stop();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, farewell);
      });
      await Promise.race([names.release(name, token).catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

/** `worker2@host` for `worker@host`. */
function withNumber(name: string, number: number): string {
  return name.replace(/^[^@]*/, (first) => `${first}${number}`);
}

function isUnreachable(error: unknown): error is BullrushError<"BROKER_UNAVAILABLE"> {
  return (
    error instanceof BullrushError && error.code === "BROKER_UNAVAILABLE" && !(error as BullrushError<"BROKER_UNAVAILABLE">).details.refused
  );
}

/** The first thing that is asked of the broker is the name: what matters is that nothing else was. */
function unstarted({ details }: BullrushError<"BROKER_UNAVAILABLE">): BullrushError {
  return new BullrushError("BROKER_UNAVAILABLE", { ...details, action: "the worker did not start" });
}

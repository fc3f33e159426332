import { BullrushError, TaskFailedError, TaskRevokedError, TimeoutError, UnknownTaskError } from "@bullrush/client";
import { hangTimeout } from "../lib/hang-timeout.js";
import { withTimeout } from "../lib/with-timeout.js";
import { eventually } from "../lib/eventually.js";
import { cpuDuring, memoryOf, slowCalls, tellsCpu, type Memory, type SlowCall } from "./measuring.js";
import type { Plant } from "./plant.js";
import type { Stage } from "./stage.js";

/** Judgements; each returns faults, one line each, and perhaps figures. */
export interface Verdict<Figures> {
  readonly faults: readonly string[];
  readonly figures: Figures;
}

/** Beat still ticks, and workers still run what it sends. */
export async function judgeTicks({ notes }: Stage): Promise<readonly string[]> {
  const ticks = async () => Number(await notes.hget("notes", "ticks"));
  const before = await ticks();
  try {
    await eventually("beat has sent three more ticks", async () => (await ticks()) >= before + 3);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** No process has ended. */
export async function judgeLives({ members }: Stage): Promise<readonly string[]> {
  const ends = await Promise.all(members.map(async ({ name, program }) => ({ name, program, exit: await withTimeout(program.exit, 1) })));
  return ends.flatMap(({ name, program, exit }) =>
    exit === "late"
      ? []
      : [`the ${name} has ended (${JSON.stringify(exit)}): ${[...program.lines, ...program.errors].slice(-3).join(" | ").slice(0, 2000)}`],
  );
}

const coded = [BullrushError, TaskFailedError, TaskRevokedError, TimeoutError, UnknownTaskError];

/**
 * What a client asks about planted things is answered, or refused by an error that says what is
 * wrong.
 */
export async function judgeAnswers({ app }: Stage, plants: readonly Plant[]): Promise<readonly string[]> {
  const faults: string[] = [];
  const ask = async (what: string, question: () => Promise<unknown>) => {
    try {
      if ((await withTimeout(question(), hangTimeout)) === "late") faults.push(`${what} is not answered`);
    } catch (error) {
      if (!coded.some((one) => error instanceof one))
        faults.push(`${what} is answered by ${error instanceof Error ? error.stack : String(error)}`);
    }
  };
  for (const { ids = [] } of plants) {
    for (const id of ids) {
      const result = app.asyncResult(id);
      await ask(`status() of ${id}`, () => result.status());
      await ask(`details() of ${id}`, () => result.details());
      await ask(`children() of ${id}`, () => result.children());
      await ask(`get() of ${id}`, () => result.get({ timeout: 1 }));
    }
  }
  await ask("beat.list()", () => app.beat.list());
  return faults;
}

export interface IdleFigures {
  /** ms of CPU a second, of each process and of its twin. */
  readonly cpu: readonly (readonly [fuzzed: number, twin: number])[];
  /** After how many ms it was so low. */
  readonly after: number;
}

/** How much more CPU an idle process may use than its twin: times, and ms a second. */
const maxCpu = { times: 2, more: 10 };

/**
 * Processes with nothing left to do rest, as those do that saw nothing planted: within `deadline`
 * ms.
 */
export async function judgeIdle(fuzzed: Stage, twin: Stage, deadline: number): Promise<Verdict<IdleFigures>> {
  const began = Date.now();
  const all = [...fuzzed.members, ...twin.members];
  const half = fuzzed.members.length;
  for (;;) {
    const seconds = 2;
    const times = (await cpuDuring(seconds * 1000, all)).map((ms) => ms / seconds);
    const cpu = fuzzed.members.map((_, index) => [times[index] ?? 0, times[half + index] ?? 0] as const);
    const busy = fuzzed.members.flatMap(({ name }, index) => {
      const [ms, its] = cpu[index] ?? [0, 0];
      return ms <= its * maxCpu.times + maxCpu.more
        ? []
        : [`the ${name} is busy with nothing: ${ms.toFixed(1)} ms of CPU a second, its twin ${its.toFixed(1)}`];
    });
    const after = Date.now() - began;
    if (busy.length === 0 || !tellsCpu || after > deadline) return { faults: tellsCpu ? busy : [], figures: { cpu, after } };
  }
}

/** How much more memory a process may hold than its twin: times, and MiB. */
const maxMemory = { heap: { times: 1.3, more: 10 }, rss: { times: 1.5, more: 100 } };

export type MemoryFigures = readonly (readonly [fuzzed: Memory, twin: Memory])[];

/** Processes hold about as much as those that saw nothing planted. */
export async function judgeMemory(fuzzed: Stage, twin: Stage): Promise<Verdict<MemoryFigures>> {
  const faults: string[] = [];
  const figures: (readonly [Memory, Memory])[] = [];
  for (const [index, member] of fuzzed.members.entries()) {
    const other = twin.members[index] ?? member;
    const [its, twins] = await Promise.all([memoryOf(member), memoryOf(other)]);
    figures.push([its, twins]);
    for (const part of ["heap", "rss"] as const) {
      const { times, more } = maxMemory[part];
      if (its[part] > twins[part] * times + more)
        faults.push(`the ${member.name} has grown: ${part} ${its[part].toFixed(0)} MiB, its twin ${twins[part].toFixed(0)} MiB`);
    }
  }
  return { faults, figures };
}

/** Longest call of Redis, in ms. */
const longest = 50;

export interface RedisFigures {
  readonly fuzzed: SlowCall | undefined;
  readonly twin: SlowCall | undefined;
}

/** No call holds Redis for long: a machine that is busy holds up its twin, too. */
export async function judgeRedis(fuzzed: Stage, twin: Stage): Promise<Verdict<RedisFigures>> {
  const [slow, twins] = [await slowCalls(fuzzed), await slowCalls(twin)];
  const most = Math.max(longest, 2 * (twins[0]?.ms ?? 0));
  const faults = slow.filter(({ ms }) => ms > most).map(({ ms, command }) => `Redis took ${ms.toFixed(0)} ms for ${command}`);
  return { faults, figures: { fuzzed: slow[0], twin: twins[0] } };
}

/** All end within 30 s when they are asked to, by themselves. */
export async function judgeStops({ members }: Stage): Promise<readonly string[]> {
  const stops = await Promise.all(
    members.map(async ({ name, program }) => {
      const exit = await program.stop().catch((error: unknown) => ({ code: String(error).slice(0, 2000), signal: null }));
      return exit.code === 0 ? [] : [`the ${name}, asked to stop, ended with ${JSON.stringify(exit)}`];
    }),
  );
  return stops.flat();
}

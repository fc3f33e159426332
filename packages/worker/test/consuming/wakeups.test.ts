import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasWaiting, isDue, isHeldBack, ModelRedis, type End } from "./model-redis.js";
import { ModelTime } from "./model-time.js";
import { ModelWorker, type Wire } from "./model-worker.js";

const seed = Number(process.env["BULLRUSH_SEED"] ?? 20_261_130);
const runs = Number(process.env["BULLRUSH_RUNS"] ?? 2000);

/** How late a look may come, in ms: the time that its command was under way, and with a limit of jobs at once it is known of none that has ended. */
const late = { usual: 10, limited: 1010 };

interface World {
  /** Slots of each worker. */
  readonly workers: readonly number[];
  /** Most jobs at once of each queue; 0 for any number. */
  readonly limits: readonly number[];
  /** Most of what happens from outside. */
  readonly budgets: { readonly publish: number; readonly lose: number; readonly pause: number; readonly rest: number };
  /** By how many ms the clock goes on between two readings, in turn. */
  readonly ticks: readonly number[];
  /** What happens next, of all that may. */
  readonly choices: readonly number[];
}

const world: fc.Arbitrary<World> = fc.record({
  workers: fc.oneof(fc.constantFrom([1, 1], [2, 1], [1, 2]), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 })),
  limits: fc.oneof(
    { weight: 4, arbitrary: fc.constant([0]) },
    { weight: 2, arbitrary: fc.constant([0, 0]) },
    { weight: 1, arbitrary: fc.constantFrom([1], [0, 1]) },
  ),
  budgets: fc.record({
    publish: fc.integer({ min: 2, max: 8 }),
    lose: fc.constantFrom(0, 0, 1, 2),
    pause: fc.constantFrom(0, 0, 0, 0, 2),
    rest: fc.constantFrom(0, 0, 1),
  }),
  ticks: fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 1, maxLength: 12 }),
  choices: fc.array(fc.nat({ max: 0xffffff }), { minLength: 10, maxLength: 100 }),
});

interface Action {
  readonly name: string;
  readonly act: (choice: number) => void;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lives through what `world` says, then lets everything come to rest, and throws if a message is left that somebody could take. */
async function live({ workers: slots, limits, budgets, ticks, choices }: World): Promise<void> {
  const time = new ModelTime(ticks);
  const redis = new ModelRedis(limits.map((limit) => (limit === 0 ? undefined : limit)));
  const workers = slots.map((concurrency, index) => new ModelWorker({ name: `w${index}`, redis, time, concurrency, longest: 60_000 }));
  const wires = workers.flatMap(({ name, commands, bell }) => [
    { name: `${name} commands`, wire: commands },
    { name: `${name} bell`, wire: bell },
  ]);
  const left = { ...budgets, scan: 0 };
  const past: string[] = [];

  /** What is under way anyway. */
  function inner(): readonly Action[] {
    return [
      ...wires.flatMap(({ name, wire }) => movesOf(name, wire)),
      ...redis.blocked
        .filter(({ until }) => until <= time.value)
        .map((client) => ({ name: "a wait ends", act: () => redis.timeOut(client) })),
      ...time.due().map((ring) => ({ name: "a timer fires", act: ring })),
    ];
  }

  /** What may happen next, by kinds of which one is as likely as another, but for what is under way. */
  function next(): readonly (readonly Action[])[] {
    const inside = inner();
    return [inside, inside, inside, publications(), ends(), [{ name: "time", act: () => time.value++ }], troubles()].filter(
      ({ length }) => length > 0,
    );
  }

  function ends(): readonly Action[] {
    return workers.flatMap(({ name, running }) =>
      [...running].map(([{ id }, end]) => ({ name: `${id} ends at ${name}`, act: (choice: number) => end(endOf(choice)) })),
    );
  }

  function troubles(): readonly Action[] {
    const queues = [...redis.queues.keys()];
    const lose = ({ name, wire }: { readonly name: string; readonly wire: Wire }) => ({
      name: `${name}: a reply is lost`,
      act: (choice: number) => (left.lose--, wire.lose(choice % 2 === 0)),
    });
    const pauseOrResume = (queue: number) => ({
      name: `queue ${queue} is paused or resumed`,
      act: () => (left.pause--, redis.queues[queue]!.paused ? resume(queue) : redis.pause(queue)),
    });
    const rest = (worker: ModelWorker, queue: number) => ({
      name: `queue ${queue} rests at ${worker.name}`,
      act: () => (left.rest--, worker.rest(queue, 3)),
    });
    return [
      ...(left.lose > 0 ? wires.filter(({ wire }) => wire.replies.length > 0).map(lose) : []),
      ...(left.pause > 0 ? queues.map(pauseOrResume) : []),
      ...(left.rest > 0 ? workers.flatMap((worker) => queues.map((queue) => rest(worker, queue))) : []),
    ];
  }

  function resume(queue: number): void {
    redis.resume(queue);
    // With messages that wait it leaves out the marker of those that are delayed; that is for the scan.
    left.scan = 1;
  }

  function publications(): readonly Action[] {
    if (left.publish <= 0) return [];
    return [...redis.queues.keys()].flatMap((queue) => {
      const publish = (name: string, act: (choice: number) => void) => ({
        name: `${name} to ${queue}`,
        act: (choice: number) => (left.publish--, act(choice)),
      });
      return [
        publish("plain", () => redis.publish(queue, "plain")),
        publish("later", (choice) => redis.publishLater(queue, time.value + 1 + (choice % 3))),
        publish("prioritized", () => redis.publish(queue, "prioritized")),
      ];
    });
  }

  function endOf(choice: number): End {
    const types = ["done", "done", "now", "back", "later", "followed"] as const;
    const type = left.publish > 0 ? types[choice % types.length]! : "done";
    if (type !== "done") left.publish--;
    if (type === "later") return { type, due: time.value + 1 + (choice % 2) };
    return type === "followed" ? { type, queue: choice % redis.queues.length } : { type };
  }

  /** Whether a message is left that could be taken by a worker that could take it. */
  function isStuck(): boolean {
    // One that pauses after a failure may have heard what nobody else did. It looks when its pause is over.
    if (workers.some(({ loop }) => loop.state().pause > 0)) return false;
    return redis.queues.some(
      (queue, index) =>
        !isHeldBack(queue) &&
        (hasWaiting(queue) || isDue(queue, time.value)) &&
        workers.some(({ loop, availability }) => {
          return loop.state().free > 0 && !availability.isBackedOff(index, time.value);
        }),
    );
  }

  /** All that is under way comes to its end. */
  async function rest(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      for (let [first] = inner(); first !== undefined; [first] = inner()) {
        if (past.push(first.name) > 3000) throw new Error(`it never comes to rest:\n${past.slice(-40).join("\n")}`);
        first.act(0);
        quiet = 0;
        await turn();
      }
      await turn();
    }
  }

  /** The next time at which something comes due that all know of. */
  function nextTime(): number | undefined {
    const times = [
      ...redis.queues.flatMap(({ delayed, paused }) => (paused ? [] : delayed.map(({ due }) => due))),
      ...workers.map(({ loop }) => time.value + loop.state().pause),
      ...workers.flatMap(({ availability }) => (availability.resting(time.value).length > 0 ? [time.value + 3] : [])),
    ].filter((at) => at > time.value);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async function expectNothingStuck(): Promise<void> {
    await rest();
    if (!isStuck()) return;
    const until = time.value + (limits.some((limit) => limit > 0) ? late.limited : late.usual);
    while (time.value < until && isStuck()) {
      time.value += until - time.value > 10 ? 10 : 1;
      await rest();
    }
    if (!isStuck()) return;
    const states = workers.map(({ name, loop }) => ({ name, ...loop.state() }));
    throw new Error(`a message is left that could be taken:\n${past.join("\n")}\n${JSON.stringify({ queues: redis.queues, states })}`);
  }

  try {
    for (const { loop } of workers) loop.start();
    for (const choice of choices) {
      const kinds = next();
      const kind = kinds[choice % kinds.length]!;
      const { name, act } = kind[(choice >> 4) % kind.length]!;
      past.push(name);
      act(choice >> 10);
      // Several things may happen in one turn of the event loop.
      if ((choice >> 8) % 4 > 0) await turn();
    }
    time.freeze();
    left.publish = 0;
    if (left.scan > 0) {
      await rest();
      redis.scan();
    }
    for (;;) {
      await expectNothingStuck();
      const next = nextTime();
      const [running] = workers.flatMap(({ running }) => [...running.values()]);
      if (next !== undefined) time.value = next;
      else if (running !== undefined) running({ type: "done" });
      else break;
    }
  } finally {
    time.end();
  }
}

function movesOf(name: string, wire: Wire): readonly Action[] {
  return [
    ...(wire.requests.length > 0 ? [{ name: `${name}: ${wire.requests[0]!.name} arrives`, act: () => wire.arrive() }] : []),
    ...(wire.replies.length > 0
      ? [{ name: `${name}: the reply to ${wire.replies[0]!.command.name} comes`, act: () => wire.deliver() }]
      : []),
  ];
}

test(`whatever comes in whatever order, no message is left that a worker with a free slot could take (BULLRUSH_SEED=${seed})`, async () => {
  const details = await fc.check(fc.asyncProperty(world, live), {
    seed,
    numRuns: runs,
    endOnFailure: process.env["BULLRUSH_SHRINK"] === "no",
  });
  expect(details.failed ? `after ${details.numRuns} runs: ${fc.defaultReportMessage(details)}\n${String(details.errorInstance)}` : "").toBe(
    "",
  );
});

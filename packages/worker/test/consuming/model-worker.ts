import type { Clock, Consumer, Delivery, Outcome, Settlement } from "@bullrush/broker";
import { ThrottledLog } from "@bullrush/program";
import { pino } from "pino";
import { QueueAvailability } from "../../../broker/src/bullmq/queue-availability.js";
import { WakeupListener } from "../../../broker/src/bullmq/wakeup-listener.js";
import type { Connection } from "../../../broker/src/redis/connection.js";
import { FetchLoop } from "../../src/consuming/fetch-loop.js";
import type { Executor } from "../../src/execution/executor.js";
import type { Running } from "../../src/execution/running.js";
import { markerOf, type Blocked, type End, type ModelRedis, type ModelSettlement } from "./model-redis.js";
import type { ModelTime } from "./model-time.js";

/** A command on its way to Redis, or its reply on its way back. */
interface Command {
  readonly name: string;
  /** Does it, and answers at once or later. */
  readonly arrive: (answer: (reply: unknown) => void) => void;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Client = Parameters<Parameters<Connection["run"]>[1]>[0];

/** A connection was lost with a reply; it may be worth another try. */
class Lost extends Error {
  readonly again: boolean;

  constructor(again: boolean) {
    super("the connection was lost");
    this.again = again;
  }
}

/** A connection: commands arrive, and replies come, in their order. */
export class Wire {
  readonly requests: Command[] = [];
  readonly replies: { readonly command: Command; readonly value: unknown }[] = [];

  send<T>(name: string, arrive: Command["arrive"]): Promise<T> {
    return new Promise<T>((resolve, reject) => this.requests.push({ name, arrive, resolve: resolve as Command["resolve"], reject }));
  }

  /** The next command reaches Redis. */
  arrive(): void {
    const command = this.requests.shift()!;
    command.arrive((value) => this.replies.push({ command, value }));
  }

  /** The next reply reaches the worker. */
  deliver(): void {
    const { command, value } = this.replies.shift()!;
    command.resolve(value);
  }

  /** The next reply is lost. */
  lose(again: boolean): void {
    this.replies.shift()!.command.reject(new Lost(again));
  }

  /** A connection over this, whose client has `commands`. */
  connection(commands: object): Connection {
    return {
      display: "model",
      run: async (_, command) => {
        for (let repeated = false; ; repeated = true) {
          try {
            return await command(commands as Client, repeated);
          } catch (error) {
            if (!(error instanceof Lost && error.again)) throw error;
          }
        }
      },
      denied: async () => undefined,
      renew: () => undefined,
      close: () => undefined,
    };
  }
}

export interface ModelWorkerOptions {
  readonly name: string;
  readonly redis: ModelRedis;
  readonly time: ModelTime;
  readonly concurrency: number;
  /** Longest time that a blocking read lasts, in ms. */
  readonly longest: number;
}

const log = pino({ level: "silent" });

/** A worker's real loop and what it knows of its queues, on the model of Redis. In the place of `consumer.ts` stands what that does about queues, and nothing else. */
export class ModelWorker {
  readonly name: string;
  readonly commands = new Wire();
  readonly bell = new Wire();
  readonly availability: QueueAvailability;
  readonly loop: FetchLoop;
  readonly running = new Map<Delivery, (end: End) => void>();
  readonly rest: (queue: number, pause: number) => void;

  constructor({ name, redis, time, concurrency, longest }: ModelWorkerOptions) {
    this.name = name;
    const { clock, timing } = time;
    const count = redis.queues.length;
    const availability = new QueueAvailability(count);
    const client = {
      bzpopmin: (...given: readonly (string | number)[]) => {
        const wait = Number(given.at(-1)) * 1000;
        const queues = given.slice(0, -1).map((key) => redis.queues.findIndex((_, queue) => markerOf(queue) === key));
        return this.bell.send("bzpopmin", (answer) => redis.block({ queues, until: time.value + wait, answer } satisfies Blocked));
      },
      zadd: (key: string, _: "NX", due: number, member: string) =>
        this.commands.send("zadd", (answer) => {
          redis.handOn(
            redis.queues.findIndex((_, queue) => markerOf(queue) === key),
            member,
            due,
          );
          answer(1);
        }),
    };
    const commands = this.commands.connection(client);
    const wakeups = new WakeupListener({
      bell: this.bell.connection(client),
      commands,
      markers: redis.queues.map((_, queue) => markerOf(queue)),
      availability,
      clock,
      timing,
      maxWait: longest,
      deadline: 5000,
    });
    const consumer = modelConsumer({ name, redis, clock, availability, wakeups, commands, wire: this.commands });
    this.availability = availability;
    this.rest = (queue, pause) => consumer.backOff(String(queue), pause);
    this.loop = new FetchLoop({
      consumer,
      executor: this.#executor(),
      vouched: async (deliveries) => deliveries,
      guard: { hold: () => {}, release: () => {} },
      concurrency,
      clock,
      log,
      trouble: new ThrottledLog(log, clock),
      timing,
    });
  }

  #executor(): Executor {
    const run = ({ delivery }: Running) =>
      new Promise<Settlement>((resolve) => {
        this.running.set(delivery, (end) => {
          this.running.delete(delivery);
          resolve({ delivery, outcome: { type: end.type, end } as unknown as Outcome });
        });
      });
    return { run, isRisky: () => false } as unknown as Executor;
  }
}

interface ModelConsumerOptions {
  readonly name: string;
  readonly redis: ModelRedis;
  readonly clock: Clock;
  readonly availability: QueueAvailability;
  readonly wakeups: WakeupListener;
  readonly commands: Connection;
  readonly wire: Wire;
}

function modelConsumer({ name, redis, clock, availability, wakeups, commands, wire }: ModelConsumerOptions): Consumer {
  const lostTakes: string[] = [];
  let calls = 0;

  async function exchange({ settle, take }: { readonly settle: readonly Settlement[]; readonly take: number }) {
    let look = availability.look([]);
    let token = "";
    const noteLoss = () => {
      if (token === "" || take === 0) return;
      lostTakes.push(token);
      availability.lost(look);
    };
    try {
      const reply = await commands.run({ action: "", deadline: 0 }, async () => {
        noteLoss();
        if (lostTakes.length > 0) {
          const tokens = lostTakes.splice(0);
          try {
            await wire.send("put back", (answer) => answer(redis.putBack(tokens)));
          } catch (error) {
            lostTakes.push(...tokens);
            throw error;
          }
        }
        const now = clock.now();
        token = `${name}:${calls++}`;
        const asked = take === 0 ? [] : [...redis.queues.keys()].filter((queue) => !availability.isBackedOff(queue, now));
        look = availability.look(asked);
        const turns = asked.map((queue) => (availability.mayHold(queue, now) ? queue + 1 : -(queue + 1)));
        const mine = token;
        return wire.send<ReturnType<ModelRedis["exchange"]>>(`exchange ${settle.length} ${take} ${turns.join()}`, (answer) =>
          answer(redis.exchange(now, settle.map(settlementOf), take, turns, mine)),
        );
      });
      const now = clock.now();
      availability.answered(look, now, reply);
      passOnResting(now);
      const deliveries = reply.taken.map(({ queue, ...taken }) => ({ ...taken, queue: String(queue) }) as unknown as Delivery);
      return { deliveries, settled: settle.map(() => "settled" as const) };
    } catch (error) {
      noteLoss();
      throw error;
    }
  }

  function passOnResting(now: number): void {
    wakeups.passOnResting(now).catch(() => undefined);
  }

  return {
    storesInSettlement: true,
    settleAndTake: exchange,
    wait: () => wakeups.wait(),
    releaseWakeups: () => wakeups.release(),
    stopListening: () => wakeups.close(),
    hasWork: () => availability.hasWork(clock.now()),
    nextLookAt: () => availability.nextLookAt(),
    assumeWork: () => availability.assumeWork(),
    backOff: (queue: string, pause: number) => {
      const now = clock.now();
      availability.backOff(Number(queue), now + pause);
      passOnResting(now);
    },
  } as unknown as Consumer;
}

function settlementOf({ delivery: { queue, id, token }, outcome }: Settlement): ModelSettlement {
  return { queue: Number(queue), id, token, end: (outcome as unknown as { end: End }).end };
}

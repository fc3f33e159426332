import { sendInLots } from "../measuring/load.js";
import type { Setting } from "../measuring/setting.js";
import { bodies } from "./body.js";
import { bullQueues, queueNames } from "./bull-queues.js";
import type { Contender, FanIn, Producer } from "./contender.js";
import { logFile, openLog, type LogTarget } from "./log.js";
import { versionOf } from "./version.js";

export interface BullrushOptions {
  readonly id: string;
  readonly name: string;
  /**
   * Where results are: in database 1 of the Redis whose database 0 has the queues (default), in the
   * same database, or on another server.
   */
  readonly results?: "another database" | "same database" | "another server";
  /** How many queues, one worker for all. Default: 1. */
  readonly queues?: number;
  /** Default: nowhere. */
  readonly log?: LogTarget;
}

export function bullrush({ id, name, results = "another database", queues: count = 1, log = "nowhere" }: BullrushOptions): Contender {
  const queues = queueNames(count);

  async function open(setting: Setting, onRun?: () => void) {
    const { createApp } = await import("@bullrush/client");
    const { url, otherUrl, body } = setting;
    const backend = { "another database": `${url}/1`, "same database": `${url}/0`, "another server": `${otherUrl}/0` }[results];
    const app = createApp({ broker: `${url}/0`, backend, queues, defaultQueue: queues[0] });
    const run = (sent: number): number | string => {
      onRun?.();
      return bodies[body](sent);
    };
    return { app, task: app.task("bench", run) };
  }

  async function produce(setting: Setting): Promise<Producer> {
    const { app, task } = await open(setting);
    const optionsOf = (number: number) => ({ queue: queues[number % count] ?? queues[0] });
    const send = (number: number) => (count === 1 ? task.delay(number) : task.applyAsync([number], optionsOf(number)));
    const signatureOf = (number: number) => (count === 1 ? task.s(number) : task.s(number).set(optionsOf(number)));
    return {
      send: (first, last, width) => sendInLots(first, last, width, (numbers) => Promise.all(numbers.map(send))),
      sendBulk: (first, last, width) => sendInLots(first, last, width, (numbers) => app.publishAll(numbers.map(signatureOf))),
      ask: async (number) => (await send(number)).get(),
      results: (sent) => Promise.all(sent.map((one) => app.asyncResult(one.id).get({ timeout: "5s" }))),
      close: () => app.close(),
    };
  }

  async function fanIn(setting: Setting): Promise<FanIn> {
    const [{ createWorker }, { chord }, { app, task }] = await Promise.all([
      import("@bullrush/worker"),
      import("@bullrush/client"),
      open(setting),
    ]);
    let got: readonly unknown[] = [];
    const body = app.task("body", (results: readonly (number | string)[]) => void (got = results));
    const worker = createWorker(app, { concurrency: 100, log: await openLog(log, setting) });
    let result: { get(): Promise<unknown> } | undefined;
    return {
      send: async (members) => {
        result = await chord(task.map(Array.from({ length: members }, (_, number) => number)), body.s()).delay();
      },
      work: async () => {
        await worker.start();
        await result?.get();
        return got;
      },
      close: async () => void (await worker.stop()),
    };
  }

  return {
    id,
    name,
    version: () => versionOf("@bullrush/client"),
    ...(log === "file" && { logFile }),
    load: () => Promise.all([import("@bullrush/client"), import("@bullrush/worker"), import("pino")]),
    produce,
    consume: async (setting, { concurrency, onRun }) => {
      const { createWorker } = await import("@bullrush/worker");
      const { app } = await open(setting, onRun);
      const worker = createWorker(app, { concurrency, log: await openLog(log, setting) });
      await worker.start();
      return () => worker.stop();
    },
    queue: bullQueues(queues),
    fanIn,
  };
}

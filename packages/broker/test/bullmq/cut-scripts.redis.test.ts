import { FlowProducer } from "bullmq";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openGuardedLoans } from "../../src/bullmq/guard/guarded-loans.js";
import { LostTakes } from "../../src/bullmq/lost-takes.js";
import type { Delivery } from "../../src/ports/delivery.js";
import type { Settlement } from "../../src/ports/settlement.js";
import { additionId } from "../../src/protocol/id.js";
import type { Message } from "../../src/protocol/message.js";
import type { Outcome } from "../../src/protocol/outcome.js";
import { encodeMessage } from "../../src/protocol/envelope.js";
import { queueKey } from "../../src/redis/keys.js";
import { compileRetention, defaultRetention } from "../../src/routing/retention.js";
import { compileLocation } from "../../src/redis/location.js";
import { flowOf, settlementOf as played } from "../ports/flow-play.js";
import { contentOf, messageOf, numbered, outcomes, settlementOf, storeOf } from "../ports/messages.js";
import { take } from "../ports/waiting.js";
import { openBench, type Bench } from "./bench.js";
import { openCuts, type Cuts } from "./cut-scripts.js";
import { flawsOf, letBeDue, letLeasesEnd, workOff, type Scene } from "./scene.js";

/** Words that only the header of the script has that is cut. */
const marks = {
  exchange: "Stores results, settles what has ended",
  recover: "Puts jobs whose lease ran out back",
  unheard: "whose replies were lost: nobody runs it",
  letGo: "Puts back what a worker has on loan whose process",
  publish: "Adds messages without priority and delay to their queues.",
  publishByBullmq: "Adds messages with a priority or a delay to their queues.",
  promote: "Moves messages that wait to the front",
  begin: "Begins a flow, unless it has begun",
  failCascade: "Fails, or drops, a batch of what is not to run",
  backlog: "Sends a batch of the backlog of a flow",
  addMember: "Adds a member to the group of a member that runs",
};

/** A move of messages that is cut. */
interface Move {
  readonly script: keyof typeof marks;
  /** What stands there before; gives what the move is about. */
  readonly before?: (scene: Scene) => Promise<readonly Delivery[]>;
  /** The move. It is done once more if it fails. */
  readonly move: (scene: Scene, deliveries: readonly Delivery[]) => Promise<unknown>;
}

const send =
  (count: number) =>
  async ({ bench }: Scene) => {
    await bench.stage.send(...numbered("feeds", count));
    return [];
  };

const taken = (count: number) => async (scene: Scene) => {
  await send(count)(scene);
  return take(scene.consumer, count);
};

/** A member adds another, whose message says this, and is settled. */
const addedWith = (message: Partial<Message>): Move => ({
  script: "addMember",
  before: async ({ bench, consumer }) => {
    const steps = [{ task: "sum", args: [1], next: [["slot", 0, 0]] }, { task: "list" }] as const;
    await bench.stage.engine.flows.begin(flowOf(steps, [{ size: 1, next: [["step", 1]] }]));
    return take(consumer, 1);
  },
  move: ({ bench }, deliveries) =>
    Promise.all(
      deliveries.map(({ id, content }) => {
        const [position] = content.type === "message" ? (content.message.positions ?? []) : [];
        const added = messageOf({ ...message, id: additionId(id, 0), task: "sum", args: [2] });
        return bench.stage.engine.flows.addMember({ flow: position!.flow, by: position!.call, join: 0, queue: "feeds", message: added });
      }),
    ),
});

const settledAs = (outcome: (delivery: Delivery) => Outcome, count = 3): Move => ({
  script: "exchange",
  before: taken(count),
  move: ({ consumer }, deliveries) =>
    consumer.settleAndTake({
      settle: deliveries.map((delivery) => ({ ...settlementOf(delivery, outcome(delivery)), ...recordOf(delivery, outcome(delivery)) })),
      take: 0,
    }),
});

/** What is stored of a delivery that ends so. */
function recordOf({ id, number }: Delivery, { type }: Outcome): Partial<Settlement> {
  if (type === "succeeded") return { store: storeOf(id, { delivery: number }) };
  return type === "failed" ? { store: storeOf(id, { state: "FAILURE", delivery: number }) } : {};
}

/** As `settledAs`, where nothing is kept of the arguments of what has ended. */
function settledWithoutArguments(outcome: Outcome): Move {
  const { before } = settledAs(() => outcome);
  const retention = compileRetention({ keepArguments: false }, defaultRetention(60_000));
  return {
    script: "exchange",
    ...(before && { before }),
    move: ({ bench }, deliveries) =>
      bench.stage.engine
        .consume({ queues: [{ name: "feeds", retention }], order: "strict", lease: 30_000, worker: "forgetful" })
        .settleAndTake({
          settle: deliveries.map((delivery) => ({ ...settlementOf(delivery, outcome), ...recordOf(delivery, outcome) })),
          take: 0,
        }),
  };
}

const retriedIn =
  (pause: number) =>
  (delivery: Delivery): Outcome => ({
    type: "retried",
    failure: outcomes.failed.failure,
    text: encodeMessage({ ...contentOf(delivery), retries: 1 }, 1000),
    eta: Date.now() + pause,
  });

/** The same messages each time: they are the same calls. */
const published = (script: Move["script"], fields: () => Parameters<typeof messageOf>[0]): Move => {
  const sent = new WeakMap<Scene, ReturnType<typeof numbered>>();
  return {
    script,
    move: async (scene) => {
      const messages = sent.get(scene) ?? [1, 2].map(() => ({ queue: "feeds", message: messageOf(fields()) }));
      sent.set(scene, messages);
      await scene.bench.stage.send(...messages);
    },
  };
};

const external = (options: object, outcome: Outcome): Move => ({
  script: "exchange",
  before: async ({ bench, consumer }) => {
    await bench.queue.add("job", 1, options);
    return take(consumer, 1);
  },
  move: ({ consumer }, deliveries) =>
    consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery, outcome)), take: 0 }),
});

const moves: Record<string, Move> = {
  "take: plain": { script: "exchange", before: send(3), move: ({ consumer }) => take(consumer, 3) },
  "take: by priority": {
    script: "exchange",
    before: async ({ bench }) => {
      await bench.stage.send(...[3, 5].map((priority) => ({ queue: "feeds", message: messageOf({ priority }) })));
      return [];
    },
    move: ({ consumer }) => take(consumer, 2),
  },
  "take: what is due": {
    script: "exchange",
    before: async ({ bench, prefix }) => {
      await bench.stage.send(
        ...[0, 4].map((priority) => ({ queue: "feeds", message: messageOf({ priority, eta: Date.now() + 100_000 }) })),
      );
      await letBeDue(bench, prefix);
      return [];
    },
    move: ({ consumer }) => take(consumer, 2),
  },
  "take: a limited queue": {
    script: "exchange",
    before: async (scene) => {
      await scene.bench.queue.setGlobalRateLimit(100, 10);
      return send(2)(scene);
    },
    move: ({ consumer }) => take(consumer, 2),
  },
  "settle: succeeded": settledAs(() => outcomes.succeeded),
  "settle: failed": settledAs(() => outcomes.failed),
  "settle: dead": settledAs(() => outcomes.dead),
  "settle: succeeded, without its arguments": settledWithoutArguments(outcomes.succeeded),
  "settle: failed, without its arguments": settledWithoutArguments(outcomes.failed),
  "settle: requeued": settledAs(() => outcomes.requeued),
  "settle: crashed": settledAs(() => ({ type: "crashed", reason: "it died" })),
  "settle: retried": settledAs(retriedIn(0), 2),
  "settle: retried later": settledAs(retriedIn(50_000), 2),
  "settle: postponed": settledAs(() => ({ ...outcomes.requeued, eta: Date.now() + 50_000, unknownSince: 1 }), 2),
  "settle: a plain job": external({}, outcomes.succeeded),
  "settle: a plain job that failed": external({}, outcomes.failed),
  "settle: a plain job that is dead": external({}, outcomes.dead),
  "settle: a plain job that is tried again": external({ attempts: 2 }, outcomes.failed),
  "settle: a plain job that is tried again later": external({ attempts: 2, backoff: 50_000 }, outcomes.failed),
  "settle: the last child of a plain job": {
    script: "exchange",
    before: async ({ bench, consumer }) => {
      const flows = bench.closed(new FlowProducer(bench.options()));
      await flows.add({ name: "parent", queueName: "feeds", children: [{ name: "child", queueName: "feeds" }] });
      return take(consumer, 1);
    },
    move: ({ consumer }, deliveries) => consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 }),
  },
  "settle and take": {
    script: "exchange",
    before: async (scene) => {
      const deliveries = await taken(2)(scene);
      await send(2)(scene);
      return deliveries;
    },
    move: ({ consumer }, deliveries) => consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 2 }),
  },
  "settle: a step of a flow": {
    script: "exchange",
    before: async ({ bench, consumer }) => {
      await bench.stage.engine.flows.begin(
        flowOf([
          {
            task: "list",
            next: [
              ["step", 1],
              ["step", 2],
            ],
          },
          { task: "list" },
          { task: "list", message: { priority: 3 } },
        ]),
      );
      return take(consumer, 1);
    },
    move: ({ consumer }, deliveries) => consumer.settleAndTake({ settle: deliveries.map((delivery) => played(delivery)), take: 0 }),
  },
  "settle: the last of a group": {
    script: "exchange",
    before: async ({ bench, consumer }) => {
      const steps = [
        { task: "sum", args: [1], next: [["slot", 0, 0]] },
        { task: "sum", args: [2], next: [["slot", 0, 1]] },
        { task: "list" },
      ] as const;
      await bench.stage.engine.flows.begin(flowOf(steps, [{ size: 2, next: [["step", 2]] }], [["steps", 0, 1]]));
      return take(consumer, 2);
    },
    move: ({ consumer }, deliveries) => consumer.settleAndTake({ settle: deliveries.map((delivery) => played(delivery)), take: 0 }),
  },
  "begin a flow": {
    script: "begin",
    move: (() => {
      const flows = new WeakMap<Scene, ReturnType<typeof flowOf>>();
      return (scene: Scene) => {
        const flow = flows.get(scene) ?? flowOf([{ task: "list" }, { task: "list", message: { priority: 2 } }], [], [["steps", 0, 1]]);
        flows.set(scene, flow);
        return scene.bench.stage.engine.flows.begin(flow);
      };
    })(),
  },
  "add a member to a group": addedWith({}),
  "add a member with a priority to a group": addedWith({ priority: 3 }),
  "let steps fail that have not run": {
    script: "failCascade",
    before: async ({ bench, consumer }) => {
      const steps = [{ task: "fail", next: [["step", 1]] }, { task: "list", next: [["error", 2]] }, { task: "list" }] as const;
      await bench.stage.engine.flows.begin(flowOf(steps));
      return take(consumer, 1);
    },
    // What is to fail does so beside the exchange, and if it cannot, when flows are mended.
    move: async ({ consumer }, deliveries) => {
      await consumer.settleAndTake({ settle: deliveries.map((delivery) => played(delivery)), take: 0 });
      await consumer.repairFlows(0);
    },
  },
  recover: {
    script: "recover",
    before: async (scene) => {
      const deliveries = await taken(2)(scene);
      await scene.consumer.recover();
      await letLeasesEnd(scene);
      return deliveries;
    },
    move: ({ consumer }) => consumer.recover(),
  },
  "put back what nobody heard of": {
    script: "unheard",
    before: taken(2),
    move: ({ bench, prefix }, [{ token }]: readonly Delivery[] | readonly [Delivery]) => {
      const unheard = new LostTakes([prefix]);
      unheard.add(token.slice(0, token.lastIndexOf(":")));
      return unheard.putBack(bench.broker.redis);
    },
  },
  "let go": {
    script: "letGo",
    before: taken(2),
    move: async ({ bench, prefix }, deliveries) => {
      const loans = openGuardedLoans(
        () => ({ location: compileLocation(bench.broker.url), rotates: false, prefixes: [prefix], lease: 30_000, worker: "w" }),
        () => undefined,
      );
      await loans.letGo(deliveries.map(({ id, token }) => ({ queue: 0, id, token, how: { type: "back" } }))).finally(() => loans.close());
    },
  },
  "promote: by priority": {
    script: "promote",
    before: async ({ bench }) => {
      await bench.stage.send(...[3, 5].map((priority) => ({ queue: "feeds", message: messageOf({ priority }) })));
      return [];
    },
    move: async ({ bench, consumer, prefix }) => {
      const [id = ""] = await bench.broker.redis.zrange(`${prefix}prioritized`, 1, "1");
      await consumer.promote([{ id, queues: ["feeds"] }]);
    },
  },
  "promote: waiting": {
    script: "promote",
    before: send(2),
    move: async ({ bench, consumer, prefix }) => {
      const [id = ""] = await bench.broker.redis.lrange(`${prefix}wait`, 0, 0);
      await consumer.promote([{ id, queues: ["feeds"] }]);
    },
  },
  "publish: plain": published("publish", () => ({})),
  "publish: with priority": published("publishByBullmq", () => ({ priority: 4 })),
  "publish: for later": published("publishByBullmq", () => ({ eta: Date.now() + 50_000 })),
};

describe("a script that Redis cuts short at one of its writes", () => {
  let cuts: Cuts;
  let bench: Bench;

  beforeAll(() => {
    cuts = openCuts();
  });

  afterAll(() => cuts.close());

  beforeEach(() => {
    bench = openBench();
  });

  afterEach(() => bench.close());

  /** What is wrong after the move was cut at its `write`th write, repeated if it failed, and everything was worked off; `undefined` if it has no such write. */
  async function afterCut({ script, before, move }: Move, write: number): Promise<readonly string[] | undefined> {
    const scene: Scene = { bench, prefix: queueKey(bench.broker.prefix, "feeds"), consumer: bench.worker() };
    await bench.queue.removeGlobalRateLimit().catch(() => undefined);
    const deliveries = (await before?.(scene)) ?? [];
    const ids = deliveries.map(({ id }) => id);
    cuts.at(marks[script], write);
    const failed = await move(scene, deliveries).then(
      () => false,
      () => true,
    );
    if (!(await cuts.end(bench.broker.redis))) return undefined;
    if (failed) await move(scene, deliveries).catch(() => undefined);
    const unread = await workOff(scene);
    const { redis } = bench.broker;
    const gone = [];
    for (const id of ids) {
      const isKept = (await redis.zscore(`${scene.prefix}completed`, id)) ?? (await redis.zscore(`${scene.prefix}failed`, id));
      if (isKept === null) gone.push(`${id} is lost`);
    }
    const flaws = [...(await flawsOf(scene)), ...gone, ...unread.map((id) => `${id} cannot be read`)];
    const keys = await redis.keys(`*${bench.broker.prefix}*`);
    if (keys.length > 0) await redis.del(keys);
    return flaws;
  }

  test.each(Object.entries(moves))("loses nothing, and leaves nothing in two places: %s", async (_name, move) => {
    const wrong: Record<number, readonly string[]> = {};
    let writes = 0;
    for (;;) {
      const flaws = await afterCut(move, writes + 1);
      if (flaws === undefined) break;
      writes++;
      if (flaws.length > 0) wrong[writes] = flaws;
    }
    expect(wrong).toEqual({});
    expect(writes).toBeGreaterThan(1);
  });
});

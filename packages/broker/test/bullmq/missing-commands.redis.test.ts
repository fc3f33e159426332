import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { workerScripts } from "../../src/bullmq/worker-scripts.js";
import { encodeMessage } from "../../src/protocol/codec.js";
import type { Outcome } from "../../src/protocol/outcome.js";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import { commandsOf } from "../../src/redis/probe-rights.js";
import { queueKey } from "../../src/redis/keys.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import { contentOf, messageOf, outcomes, settlementOf, storeOf } from "../ports/messages.js";
import { redisBinary, startRedis, type PrivateRedis } from "../redis/private-redis.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { openBroker, type RedisBroker } from "./broker.js";
import { flawsOf, workOff } from "./scene.js";

/** What comes of message `number`, each in its own way. */
function outcomeOf(delivery: Delivery): Outcome {
  const message = contentOf(delivery);
  if (delivery.number > 1) return outcomes.succeeded;
  switch (Number(message.args[0]) % 5) {
    case 0:
      return outcomes.requeued;
    case 1:
      return { type: "retried", failure: outcomes.failed.failure, text: encodeMessage({ ...message, retries: 1 }, 1000), eta: 0 };
    case 2:
      return { ...outcomes.requeued, eta: Date.now() + 50_000 };
    default:
      return outcomes.succeeded;
  }
}

describe.skipIf(redisBinary === undefined)("a worker whose user loses the right to a command while it works", () => {
  let redis: PrivateRedis;
  let broker: RedisBroker;
  let stage: Stage;

  beforeAll(async () => {
    redis = await startRedis();
    broker = openBroker(redis.url, redisResultBackend({ location: redis.url }));
    stage = stageOn(broker);
  });

  afterAll(async () => {
    await broker.close();
    await redis.stop();
  });

  /** What it says, and how much is lost, or has failed though its task did not, by the time that it has the right again and has worked off all. */
  async function without(
    command: string,
  ): Promise<{ readonly said: ReadonlySet<string>; readonly lost: readonly string[]; readonly failed: number }> {
    const said = new Set<string>();
    const user = `worker-${command}`;
    await redis.client.call("ACL", "SETUSER", user, "on", ">pw", "~*", "&*", "+@all");
    const engine = broker.connect({ location: redis.url.replace("//", `//${user}:pw@`) });
    const consumer = engine.consume({ queues: [{ name: command }], order: "strict", lease: 30_000, worker: user });
    await stage.send(
      ...Array.from({ length: 20 }, (_, number) => ({
        queue: command,
        message: messageOf({ args: [number], priority: number % 4 === 3 ? 5 : 0, ...(number % 7 === 6 && { eta: Date.now() + 30 }) }),
      })),
    );
    const settle = await exchange(consumer, [], said);
    await redis.client.call("ACL", "SETUSER", user, `-${command}`);
    let held = settle;
    for (let turn = 0; turn < 3; turn++) held = await exchange(consumer, held, said);
    await consumer.recover().catch((error: unknown) => said.add(String(error)));
    await redis.client.call("ACL", "SETUSER", user, `+${command}`);
    held = await exchange(consumer, held, said);
    const prefix = queueKey(broker.prefix, command);
    const scene = { bench: { broker, worker: () => consumer } as never, prefix, consumer };
    const unread = await workOff(scene);
    const counts = await stage.counts(command);
    return {
      said,
      lost: [...(await flawsOf(scene)), ...(counts.completed === 20 ? [] : [`${counts.completed} of 20`])],
      failed: counts.failed + unread.length,
    };
  }

  /** Settles and takes; gives what is to be settled next, those that were refused included. */
  async function exchange(consumer: Consumer, held: readonly Delivery[], said: Set<string>): Promise<readonly Delivery[]> {
    const settle = held.map((delivery) => {
      const outcome = outcomeOf(delivery);
      return {
        ...settlementOf(delivery, outcome),
        ...(outcome.type === "succeeded" && { store: storeOf(delivery.id, { delivery: delivery.number }) }),
      };
    });
    try {
      const { deliveries, settled, refused } = await consumer.settleAndTake({ settle, take: 4 });
      if (refused !== undefined) said.add(refused.message);
      return [...held.filter((_, index) => settled[index] === "again"), ...deliveries];
    } catch (error) {
      said.add(error instanceof Error ? error.message : String(error));
      return held;
    }
  }

  test("loses nothing, fails nothing falsely, and says what is missing", async () => {
    const wrong: Record<string, unknown> = {};
    for (const command of (await commandsOf(workerScripts())).map((name) => name.toLowerCase())) {
      const { said, lost, failed } = await without(command);
      if (process.env["SHOW_MATRIX"] !== undefined)
        console.log(`${command} lost ${lost.length} failed ${failed} said: ${[...said].map((text) => text.slice(0, 300)).join(" / ")}`);
      const isSaid = [...said].every((text) => text.includes(`let user "worker-${command}" run the command`) && text.includes(command));
      if (lost.length > 0 || failed > 0 || !isSaid) wrong[command] = { lost, failed, said: [...said] };
    }
    expect(wrong).toEqual({});
  });
});

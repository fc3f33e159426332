import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openGuardedLoans, type GuardedLoans, type LetGo } from "../../src/bullmq/guard/index.js";
import type { Consumer, TakeWatch } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import { argumentsOf, numbered, settlementOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { take } from "../ports/waiting.js";
import { openBroker, type RedisBroker } from "./broker.js";

const lease = 60_000;

describe("the loans of a worker whose event loop stands still", () => {
  let broker: RedisBroker;
  let stage: Stage;
  let consumer: Consumer;
  let other: Consumer;
  let guard: GuardedLoans;
  let deliveries: readonly Delivery[];

  beforeEach(async () => {
    broker = openBroker();
    stage = stageOn(broker);
    consumer = stage.consume(["news", "feeds"], { lease });
    other = stage.consume(["news", "feeds"], { worker: "worker-b", scan: 100 });
    guard = openGuardedLoans(
      () => consumer.loans!.data,
      () => undefined,
    );
    await stage.send(...numbered("feeds", 4));
    deliveries = await take(consumer, 4);
  });

  afterEach(async () => {
    guard.close();
    await broker.close();
  });

  const loan = ({ id, token }: Delivery) => ({ queue: 1, id, token });

  test("last while they are renewed, by plain data that was sent to another thread", async () => {
    const loans = structuredClone(consumer.loans!.data);
    const sent = openGuardedLoans(
      () => loans,
      () => undefined,
    );
    await sent.open();
    const locks = deliveries.map(({ id }) => `${broker.prefix}:feeds:${id}:lock`);
    // As if most of the lease were over.
    for (const lock of locks) await broker.redis.pexpire(lock, lease / 3);
    expect(await sent.renew(deliveries.map(loan))).toEqual([]);
    for (const lock of locks) expect(await broker.redis.pttl(lock)).toBeGreaterThan(lease / 2);
    sent.close();
    const { settled } = await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 });
    expect(settled).toEqual(deliveries.map(() => "settled"));
  });

  test("that are to be ended at once are told apart from those that are only asked to end", async () => {
    const [asked, ended] = deliveries as [Delivery, Delivery];
    await stage.engine.queues.revoke([asked.id], ["feeds"], { reason: "no need", terminate: false });
    await stage.engine.queues.revoke([ended.id], ["feeds"], { reason: "no need", terminate: true });
    expect(await guard.renew(deliveries.map(loan))).toEqual([loan(ended)]);
  });

  test("go back when they are let go: uncounted, as a crash, or with a verdict; what is not on loan any more stays as it is", async () => {
    const [back, crashed, limited, settled] = deliveries as [Delivery, Delivery, Delivery, Delivery];
    await consumer.settleAndTake({ settle: [settlementOf(settled)], take: 0 });
    const letGo: readonly LetGo[] = [
      { ...loan(back), how: { type: "back" } },
      { ...loan(crashed), how: { type: "crashed" } },
      { ...loan(limited), how: { type: "time-limit", limit: 1500.7 } },
      { ...loan(settled), how: { type: "crashed" } },
    ];
    await guard.letGo(letGo);
    // A second time, as after a lost reply.
    await guard.letGo(letGo);
    expect(await stage.counts("feeds")).toMatchObject({ waiting: 3, active: 0, completed: 1 });
    const again = await take(other, 4);
    const found = new Map(again.map((delivery) => [delivery.id, delivery]));
    expect(found.get(back.id)).toMatchObject({ number: 2, crashes: 0 });
    expect(found.get(crashed.id)).toMatchObject({ number: 2, crashes: 1 });
    expect(found.get(limited.id)).toMatchObject({ number: 2, crashes: 0, verdict: { type: "time-limit", limit: 1501 } });
    await other.settleAndTake({ settle: again.map((delivery) => settlementOf(delivery)), take: 0 });
    expect(await broker.redis.hmget(`${broker.prefix}:feeds:${limited.id}`, "verdict", "startedDeliveries")).toEqual([null, null]);
  });

  test("of a revoked task stay revoked, whatever their verdict", async () => {
    const [revoked] = deliveries as [Delivery];
    await stage.engine.queues.revoke([revoked.id], ["feeds"], { reason: "no need", terminate: true });
    await guard.letGo([{ ...loan(revoked), how: { type: "time-limit", limit: 1000 } }]);
    const [again] = await take(other, 1);
    expect(again).toMatchObject({ id: revoked.id, revoked: "no need" });
    expect(again?.verdict).toBeUndefined();
  });
});

describe("a call whose reply was not read in time", () => {
  test("gives nothing: what it took is put back, at the latest by the next call, and is no crash", async () => {
    const broker = openBroker();
    const stage = stageOn(broker);
    await stage.send(...numbered("feeds", 3));
    const begun: string[] = [];
    const watch: TakeWatch = { begun: (token) => begun.push(token), ended: (number) => number > 1 };
    const consumer = stage.consume(["feeds"], { takeWatch: watch });
    expect(await take(consumer, 2)).toEqual([]);
    expect(await stage.counts("feeds")).toMatchObject({ waiting: 1, active: 2 });
    const deliveries = await take(consumer, 3);
    expect(begun).toHaveLength(2);
    expect(new Set(argumentsOf(deliveries))).toEqual(new Set([0, 1, 2]));
    expect(deliveries.map(({ crashes }) => crashes)).toEqual([0, 0, 0]);
    for (const { token } of deliveries) expect(token.startsWith(`${begun[1]}:`)).toBe(true);
    await broker.close();
  });
});

import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { FlowProducer, Worker } from "bullmq";
import { pino } from "pino";
const { callId } = await import("../packages/broker/dist/id.js");
const url = process.argv[2];
const N = Number(process.argv[3] ?? 10000);
const redis = new Redis(url, { replyMapping: "legacy" });
const mem = async () => Number(/used_memory:(\d+)/.exec(await redis.info("memory"))[1]);
async function ours() {
  await redis.flushall();
  const app = createApp({ broker: `${url}/0`, backend: `${url}/1` });
  let bodies = 0,
    len = 0;
  app.task("m", (x) => x);
  app.task("b", (xs) => {
    bodies++;
    len = xs.length;
    return xs.length;
  });
  const worker = createWorker(app, { concurrency: 100, log: pino({ level: "silent" }) });
  const m0 = await mem();
  const id = randomUUID();
  const t0 = performance.now();
  const calls = Array.from({ length: N }, (_, n) => ({
    queue: "default",
    takesValue: false,
    message: {
      id: callId(id, n),
      task: "m",
      args: [n],
      headers: {},
      priority: 0,
      retries: 0,
      rootId: id,
      places: [{ flow: id, call: n, next: [["slot", 0, n]] }],
      replyTo: app.backend.replyChannel,
    },
  }));
  calls.push({
    queue: "default",
    takesValue: true,
    message: {
      id,
      task: "b",
      args: [],
      headers: {},
      priority: 0,
      retries: 0,
      rootId: id,
      places: [{ flow: id, call: N, next: [] }],
      replyTo: app.backend.replyChannel,
    },
  });
  const t1 = performance.now();
  await app.backend.store([{ id, delivery: 0, expires: 86400000, record: JSON.stringify({ state: "PENDING", delivery: 0 }) }]);
  await app.transport.startFlow({
    id,
    calls,
    joins: [{ id: randomUUID(), size: N, onFailure: "fail", next: [["step", N]] }],
    entries: calls.slice(0, N).map((_, n) => ["step", n]),
    expires: 86400000,
    maxPayload: 1 << 20,
    replyTo: app.backend.replyChannel,
  });
  const t2 = performance.now();
  const m1 = await mem();
  await worker.start();
  const t3 = performance.now();
  await app.asyncResult(id).get();
  const t4 = performance.now();
  console.log("ours", {
    compile: (t1 - t0) | 0,
    send: (t2 - t1) | 0,
    run: (t4 - t3) | 0,
    bodies,
    len,
    waitingMB: ((m1 - m0) / 1e6).toFixed(1),
    perMember: ((m1 - m0) / N) | 0,
    keys: await redis.keys("bullrush:flow*"),
  });
  await worker.stop();
}
async function peer() {
  await redis.flushall();
  const { hostname, port } = new URL(url);
  const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
  const flow = new FlowProducer({ connection });
  await flow.waitUntilReady();
  const m0 = await mem();
  const t0 = performance.now();
  await flow.add({
    name: "b",
    queueName: "bodies",
    data: {},
    children: Array.from({ length: N }, (_, n) => ({ name: "m", queueName: "members", data: [n] })),
  });
  const t1 = performance.now();
  const m1 = await mem();
  let len = 0,
    done;
  const finished = new Promise((r) => (done = r));
  const w1 = new Worker("members", async (job) => job.data[0], { connection, concurrency: 100, removeOnComplete: { count: 1000 } });
  const w2 = new Worker(
    "bodies",
    async (job) => {
      len = Object.values(await job.getChildrenValues()).length;
      done();
    },
    { connection },
  );
  await Promise.all([w1.waitUntilReady(), w2.waitUntilReady()]);
  const t2 = performance.now();
  await finished;
  const t3 = performance.now();
  console.log("bullmq", {
    send: (t1 - t0) | 0,
    run: (t3 - t2) | 0,
    len,
    waitingMB: ((m1 - m0) / 1e6).toFixed(1),
    perMember: ((m1 - m0) / N) | 0,
  });
  await Promise.all([w1.close(), w2.close(), flow.close()]);
}
for (let i = 0; i < 2; i++) {
  await ours();
  await peer();
}
redis.disconnect();
process.exit(0);

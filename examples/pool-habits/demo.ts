// npm run demo: what a process pool in Python does, with tasks, and the time that it saves.
import { deepEqual, equal } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { openRedis } from "bullrush/embedded";
import { asCompleted, gather, type AsyncResult, type TaskOutcome } from "bullrush";
import { Stage } from "../stage.js";
import { startSlowServer } from "./slow-server.js";
import { app, fetchText, power, regret, square, store, stuck } from "./tasks.js";
import { clock, oneByOne, row, seconds, type Compare } from "./timing.js";

const limit = { timeout: "20s" } as const;
const bases = [1, 2, 3, 4, 5, 6, 7, 8];
const numbers = Array.from({ length: 400 }, (_, n) => n);

const stage = new Stage(import.meta.url, { quiet: true });

await stage.play(async () => {
  const url = process.env["BULLRUSH_DEMO_REDIS_URL"];
  const redis = await openRedis(url ? { url } : {});
  stage.atEnd(() => redis.stop());
  stage.atEnd(() => app.close());
  const at = (database: number) => Object.assign(new URL(redis.url), { pathname: `/${database}` }).href;
  const [broker, backend] = [at(1), at(2)];
  app.override({ broker, backend });
  const environment = { BULLRUSH_BROKER_URL: broker, BULLRUSH_RESULT_BACKEND: backend };
  console.log(`Redis: ${redis.description} (broker in database 1, results in database 2)`);

  stage.step("Pool(processes=4), and an event loop");
  const pool = await stage.worker(["-A", "./tasks.ts", "-n", "pool@%h", "-Q", "computing", "-P", "processes", "-c", "4"], environment);
  await stage.worker(["-A", "./tasks.ts", "-n", "loop@%h", "-Q", "fetching"], environment);

  stage.step("Computing: 1 ** 20 to 8 ** 20, 0.3 s each, over four processes");
  const compare = await oneByOne(
    stage,
    bases.map((base) => () => power.delay(base)),
  );
  await computing(compare);

  stage.step("Error callbacks");
  await errors();

  stage.step("Waiting: three slow fetches over one event loop");
  await fetching();

  stage.step("Small calls: 400 squares, in 8 messages");
  const compareSmall = await oneByOne(
    stage,
    numbers.map((n) => () => square.delay(n)),
  );
  await compareSmall("map(chunksize=50)", "chunks(lists, 50)", async () => {
    const lists = numbers.map((n): [number] => [n]);
    return (await (await square.chunks(lists, 50).delay()).get(limit)).flat();
  });

  stage.step("terminate: four tasks that would never end, and a pool that goes on");
  const endless = await stuck.map([1, 2, 3, 4]).delay();
  const allHeard = (word: string) => Promise.all(endless.results.map(({ id }) => stage.heard(word, id)));
  await allHeard("received");
  const { ms } = await clock(async () => {
    deepEqual(await endless.revoke({ terminate: true }), [true, true, true, true], "all should be revoked");
    await allHeard("revoked");
  });
  stage.say(`${row("terminate", "revoke({ terminate: true })")} ${seconds(ms)} instead of for ever`);
  equal(await (await power.delay(8)).get(limit), "1152921504606846976", "the pool should go on");
  stage.say("8 ** 20 is still 1152921504606846976");

  stage.step("close, join: the worker finishes what runs");
  await compare("close, join", "SIGTERM", async () => {
    const result = await power.map(bases).delay();
    await Promise.all(result.results.map(({ id }) => stage.heard("received", id)));
    equal(await pool.stop(), 0, "the worker should end with 0");
    return result.get(limit);
  });
  console.log("\nAll as it should be. Stopping the other worker and the Redis");
});

async function computing(compare: Compare<string>): Promise<void> {
  await compare("map", "map(bases)", async () => (await power.map(bases).delay()).get(limit));

  await compare("starmap", "starmap(lists)", async () => {
    const lists = bases.map((base): [number, number] => [base, 20]);
    return (await power.starmap(lists).delay()).get(limit);
  });

  await compare("map_async(callback)", "map(bases), onDone", async () => {
    const result = await power.map(bases).delay();
    return new Promise((resolve) => result.onDone((outcomes) => resolve(valuesOf(outcomes))));
  });

  await compare("apply_async(callback)", "delay(base), onDone", async () => {
    const results = await Promise.all(bases.map((base) => power.delay(base)));
    return valuesOf(await Promise.all(results.map((result) => called(result))));
  });

  await compare("apply_async(callback)", "{ link }, on a worker", async () => {
    const stored = bases.map(async (base) => {
      const taskId = randomUUID();
      await power.applyAsync([base], { link: store.s().set({ taskId }) });
      return resultOfCallback<string>(taskId);
    });
    return gather(await Promise.all(stored), limit);
  });

  await compare("imap_unordered", "asCompleted(results)", async () => {
    const values: string[] = [];
    for await (const result of asCompleted(await app.publishAll(bases.map((base) => power.s(base))), limit))
      values.push(await result.get());
    return values.toSorted((one, other) => Number(one) - Number(other));
  });
}

async function errors(): Promise<void> {
  const outcome = await called(await power.delay(8, -1));
  if (outcome.state !== "FAILURE") throw new Error("8 ** -1 should have failed");
  equal(outcome.failure.name, "RangeError");
  stage.say(`${row("error_callback", "delay(8, -1), onDone")} ${outcome.failure.name}: ${outcome.failure.message}`);

  const taskId = randomUUID();
  await power.applyAsync([8, -1], { linkError: regret.s().set({ taskId }) });
  const text = await (await resultOfCallback<string>(taskId)).get(limit);
  equal(text, `habits.power failed: ${outcome.failure.message}`);
  stage.say(`${row("error_callback", "{ linkError }, on a worker")} ${text}`);
}

async function fetching(): Promise<void> {
  const server = await startSlowServer();
  stage.atEnd(() => server.stop());
  const urls = [700, 500, 300].map((ms) => server.url(ms));
  const compare = await oneByOne(
    stage,
    urls.map((url) => () => fetchText.delay(url)),
  );
  await compare("map", "map(urls)", async () => (await fetchText.map(urls).delay()).get(limit));
  await compare("[r.get() for r in …]", "gather(results)", async () =>
    gather(await Promise.all(urls.map((url) => fetchText.delay(url))), limit),
  );
  await compare("imap_unordered", "asCompleted(results)", async () => {
    const values: string[] = [];
    for await (const result of asCompleted([await fetchText.map(urls).delay()], limit)) values.push(await result.get());
    deepEqual(values, ["after 300 ms", "after 500 ms", "after 700 ms"], "the quickest should come first");
    return values.toReversed();
  });
}

/** The handle on a callback, once a worker has run it. Its id is unknown before its turn comes. */
async function resultOfCallback<Value>(taskId: string): Promise<AsyncResult<Value>> {
  await stage.heard("succeeded", taskId);
  return app.asyncResult<Value>(taskId);
}

/** The outcome of the task, once its callback is called. */
function called<Value>(result: AsyncResult<Value>): Promise<TaskOutcome<Value>> {
  return new Promise((resolve) => result.onDone(resolve));
}

function valuesOf<Value>(outcomes: readonly TaskOutcome<Value>[]): readonly Value[] {
  return outcomes.map((outcome) => {
    if (outcome.state !== "SUCCESS") throw new Error(`it should have succeeded: ${JSON.stringify(outcome)}`);
    return outcome.result;
  });
}

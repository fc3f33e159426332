import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { engineScript } from "../../packages/broker/src/bullmq/engine.js";
import { scriptAt } from "../../packages/broker/src/redis/script.js";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { places } from "../lib/places.js";
import { openProxy, type Proxy } from "../lib/proxy.js";
import { expectQuiet } from "../lib/quiet.js";
import { redisUrl } from "../lib/redis-url.js";

/**
 * Number of tasks, each of `hold` ms, and number of network disturbances of one worker, one every
 * `every` ms.
 */
const size = { tasks: 200, hold: 700, disturbances: 32, every: 250 };

/** Of the workers, in ms. */
const timing = { lease: 1000, scan: 200 };

const scripts = {
  exchange: (await engineScript("settle-and-take").load()).sha,
  renew: (await engineScript("renew").load()).sha,
  count: (await engineScript("count").load()).sha,
  claim: (await scriptAt("redis/claim").load()).sha,
  store: (await scriptAt("redis/store").load()).sha,
};

/** One disturbance after the other, over and over; each is over before it comes again. */
function* disturbances(broker: Proxy, backend: Proxy): Generator<() => void> {
  for (;;) {
    yield () => broker.reset();
    yield () => void broker.loseReply(scripts.exchange);
    yield () => broker.blackhole();
    yield () => broker.slow(50);
    yield () => broker.slow(0);
    yield () => void broker.loseRequest(scripts.exchange);
    yield () => void broker.loseReply(scripts.renew);
    yield () => broker.refuse();
    yield () => broker.reset();
    // For so long that leases run out.
    for (let pauses = 0; pauses * size.every < 2 * timing.lease; pauses++) yield () => {};
    yield () => broker.pass();
    yield () => void broker.loseReply(scripts.count);
    yield () => backend.reset();
    yield () => void backend.loseReply(scripts.claim);
    yield () => void backend.loseReply(scripts.store);
    yield () => backend.blackhole();
  }
}

describe.concurrent.each(places)("the bad network of one of two workers, with results $results", ({ results: place, backend }) => {
  it("no task fails, and each has one result", async () => {
    const at = await backend();
    await using fleet = openFleet({ backend: at, worker: { concurrency: 10, ...timing } });
    await using broker = await openProxy(redisUrl());
    await using results = await openProxy(at);
    const { app, ledger } = fleet;
    const through = { broker: broker.url, backend: results.url };
    const workers = [fleet.start("first", through), fleet.start("second")];
    await Promise.all(workers.map((worker) => worker.waitForEntry({ msg: "ready" })));

    const begun = Date.now();
    const sent = await Promise.all(Array.from({ length: size.tasks }, () => app.sendTask<{ attempt: number }>("hold", [size.hold])));
    const all = Promise.all(sent.map((one) => one.get({ timeout: hangTimeout })));
    let ended = 0;
    for (const one of sent)
      void one.get().then(
        () => ended++,
        () => undefined,
      );
    const list = disturbances(broker, results);
    for (let count = 0; count < size.disturbances; count++) {
      list.next().value();
      await pause(size.every);
    }
    const during = ended;
    broker.heal();
    results.heal();
    const calmAt = Date.now();
    const values = await all;
    const recovered = Date.now() - calmAt;

    expect(values).toEqual(values.map(() => ({ worker: expect.stringMatching(/first|second/) as string, attempt: 1 })));
    const starts = [...ledger.starts().values()];
    const more = starts.filter((times) => times > 1).length;
    console.log(
      `${size.tasks} tasks of ${size.hold} ms, results ${place}: ${((Date.now() - begun) / 1000).toFixed(1)} s, ${during} ended during ${size.disturbances} disturbances, the others within ${recovered} ms; ${more} ran more than once`,
    );
    expect(starts).toHaveLength(size.tasks);
    await expectQuiet(fleet);
    expect(await Promise.all(sent.map((one) => one.result()))).toEqual(values);
    expect(await Promise.all(workers.map((worker) => worker.stop()))).toEqual(workers.map(() => ({ code: 0, signal: null })));
  });
});

// npm run demo: an HTTP server answers at once, and a worker does the slow write afterwards.
import { ok } from "node:assert/strict";
import { openRedis } from "bullrush/embedded";
import { Stage } from "../stage.js";

const stage = new Stage(import.meta.url);

await stage.play(async () => {
  const url = process.env["BULLRUSH_DEMO_REDIS_URL"];
  const redis = await openRedis(url ? { url } : {});
  stage.atEnd(() => redis.stop());
  const at = (database: number) => Object.assign(new URL(redis.url), { pathname: `/${database}` }).href;
  const environment = { BULLRUSH_BROKER_URL: at(1), BULLRUSH_RESULT_BACKEND: at(2), CACHE_URL: at(3), PORT: "0" };
  console.log(`Redis: ${redis.description} (broker in database 1, cache in database 3)`);

  stage.step("A worker, and an HTTP server");
  await stage.worker(["-A", "./tasks.ts"], environment);
  const server = await stage.program("server", "server.ts", environment);
  const [address] = /http\S+/.exec(await server.line("ready")) ?? [];
  const get = async (path: string) => {
    const began = performance.now();
    const answer = (await (await fetch(`${address}${path}`)).json()) as { readonly square: number; readonly cached: boolean };
    const ms = Math.round(performance.now() - began);
    stage.say(`GET ${path} → ${JSON.stringify(answer)} after ${ms} ms`);
    return { ...answer, ms };
  };

  stage.step("The first answer does not wait for the cache, which takes 2 s to write");
  const first = await get("/squares/12");
  ok(first.square === 144 && !first.cached && first.ms < 2000, "the first answer should have come before the write was done");

  stage.step("When the worker has written it, the cache answers");
  await stage.heard("succeeded", "offload.writeCache");
  const second = await get("/squares/12");
  ok(second.square === 144 && second.cached, "the second answer should have come from the cache");
  console.log("\nAll as it should be. Stopping everything");
});

import { it } from "vitest";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";
import { serverBinary, startServer } from "../lib/server.js";
import { duesOf, grid, openStage, type Stage } from "./stage.js";

// Times of the clock: a tick that was sent before and is sent again is due at the same time.
const entry = { task: "beat.add", args: [1, 2], schedule: { type: "crontab", expression: "* * * * * *" } } as const;
const entries = { kept: entry, often: entry };

const keysOf = async (stage: Stage) => stage.redis.keys(`bullrush:beat:${stage.app.options.prefix}:app:*`);

const losses: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  "an entry": async (stage) => stage.redis.del((await keysOf(stage)).filter((key) => key.endsWith(":often"))),
  "their index": async (stage) => stage.redis.del((await keysOf(stage)).filter((key) => key.endsWith(":due"))),
  "all but the leader": async (stage) => stage.redis.del((await keysOf(stage)).filter((key) => !key.endsWith(":leader"))),
  "all keys": async (stage) => stage.redis.del(await keysOf(stage)),
  "the data of the server": async (stage) => stage.redis.flushall(),
};

const ownServer = "the data of the server";
if (serverBinary === undefined) console.log("skipped: a server that is emptied, because PATH has no redis-server and no valkey-server");

it.concurrent.for(Object.keys(losses).filter((what) => what !== ownServer || serverBinary !== undefined))(
  "when Redis loses %s under a leader, the ticks go on, and none is sent twice",
  async (what, { expect }) => {
    await using server = what === ownServer ? await startServer() : undefined;
    await using stage = openStage(entries, server?.url() ?? redisUrl());
    const beats = [stage.beat(), stage.beat()];
    await Promise.all(beats.map((beat) => beat.waitFor('"msg":"ready"')));
    await eventually("there are ticks", async () => duesOf(await stage.taken(), "often").length >= 2);
    await losses[what]!(stage);
    const before = Math.max(...duesOf(await stage.taken(), "often"));
    // A tick that was on its way may still come.
    const behind = async (entry: string) => duesOf(await stage.taken(), entry).filter((due) => due > before + 1000);
    await eventually("there are more ticks", async () => (await behind("often")).length >= 3 && (await behind("kept")).length >= 3);
    for (const beat of beats) expect(await beat.stop()).toEqual({ code: 0, signal: null });
    for (const name of ["kept", "often"]) {
      const dues = duesOf(await stage.taken(), name);
      expect(new Set(dues).size).toBe(dues.length);
    }
    if (what === "an entry") {
      const kept = duesOf(await stage.taken(), "kept");
      expect(kept).toEqual(grid(kept, 1000));
    }
    expect(beats.flatMap((beat) => beat.errors)).toEqual([]);
  },
);

it.concurrent("entry of the options removed under a leader: stays away, and comes back with the next leader", async ({ expect }) => {
  await using stage = openStage(entries);
  const beat = stage.beat();
  await eventually("there are ticks", async () => duesOf(await stage.taken(), "often").length >= 1);
  expect(await stage.app.beat.remove("often")).toBe(true);
  // By when it has been looked for: what is lost at the same time is back.
  await stage.redis.del((await keysOf(stage)).filter((key) => key.endsWith(":kept")));
  await beat.waitForEntry({ msg: "entries of the options stored again", reason: "the broker had lost 1 of them" });
  expect(await stage.app.engine.schedules.read(["often"])).toEqual([undefined]);
  expect(await beat.stop()).toEqual({ code: 0, signal: null });
  const next = stage.beat();
  await next.waitForEntry({ msg: "sent", entry: "often" });
  expect(await next.stop()).toEqual({ code: 0, signal: null });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { additionId } from "@bullrush/broker";
import { chord, type AsyncResult, type GroupResult } from "@bullrush/client";
import { describe, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { linesOf, open } from "./stage.js";

describe("members that are added to a chord by others", () => {
  it.for(["inline", "threads", "processes"])(
    "are waited for, each once, though several add at the same time and are tried again, %s",
    async (pool, { expect }) => {
      await using stage = open("-P", pool, "-c", "3");
      const { app, worker } = stage;
      const widen = (values: readonly unknown[], again: boolean) => app.signature("pools.widen", [values, again]);
      const header = [widen([1, 2], true), widen([3], false), app.signature("pools.give", ["own"]), widen([4, 5, 6], true)];
      const sent = (await chord(header, app.signature<readonly unknown[]>("pools.give")).delay()) as AsyncResult<readonly unknown[]>;
      const [a, b, , c] = ((sent.parent as GroupResult).results as readonly AsyncResult[]).map(({ id }) => id);
      const value = await sent.get({ timeout: hangTimeout });
      const idsOf = (id: string | undefined, count: number) => Array.from({ length: count }, (_, ordinal) => additionId(id!, ordinal));
      expect(value.slice(0, 4)).toEqual([idsOf(a, 2), idsOf(b, 1), "own", idsOf(c, 3)]);
      expect(
        value
          .slice(4)
          .map(Number)
          .toSorted((x, y) => x - y),
      ).toEqual([1, 2, 3, 4, 5, 6]);
      expect(linesOf(worker, { msg: "added" })).toHaveLength(5);
      expect((await app.asyncResult(b!).details())?.children).toEqual(idsOf(b, 1));
      expect(await app.asyncResult(additionId(b!, 0)).get()).toBe(3);
    },
  );

  it("are waited for, each once, though the worker of the member that added them is killed before that ends", async ({ expect }) => {
    const pool = "processes";
    const folder = await mkdtemp(join(tmpdir(), "bullrush-additions-"));
    try {
      const until = join(folder, "go on");
      await using stage = open("-P", pool, "-c", "2", "--lease", "3s");
      const { app, worker, another } = stage;
      const header = [app.signature("pools.widen", [[1, 2, 3], false, until])];
      const sent = await chord(header, app.signature<readonly unknown[]>("pools.give")).delay();
      const [member] = (sent.parent as GroupResult).results as readonly AsyncResult[];
      await worker.waitForEntry({ msg: "added" });
      await worker.kill();
      const second = another("-P", pool, "-c", "2", "--lease", "3s");
      await second.waitForEntry({ msg: "added", id: member!.id });
      await writeFile(until, "");
      const value = await sent.get({ timeout: hangTimeout });
      // Members that are added have no order among each other.
      expect(value[0]).toEqual([0, 1, 2].map((ordinal) => additionId(member!.id, ordinal)));
      expect(new Set(value.slice(1))).toEqual(new Set([1, 2, 3]));
      expect(value).toHaveLength(4);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

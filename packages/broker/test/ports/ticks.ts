import { describe, expect, test } from "vitest";
import type { Term, Tick } from "../../src/ports/schedules.js";
import { advanceOf, call, tickOf, type Calendar } from "./calendar.js";
import { contentOf, messageOf, outcomes, settlementOf } from "./messages.js";
import { hear, take } from "./waiting.js";

export function describeTicks(at: () => Calendar): void {
  const everything = async (queue: string, count = 1000) => (await take(at().stage.consume([queue]), count)).map(contentOf);

  describe("ticks", () => {
    test("are sent, in the order of their times, and the entry goes on", async () => {
      const { store, lead, prepare, read } = at();
      const term = await lead();
      const before = await prepare(term, "a", 1000);
      const ticks = [tickOf(1000, "feeds", { headers: { beat: "a" } }), tickOf(2000), tickOf(3000)];
      expect(await store.advance(term, [advanceOf(before, ticks, 4000)])).toEqual([{ sent: 3, overlapped: 0, duplicates: 0 }]);
      const after = await read("a");
      const { id } = ticks[2]!.messages[0].message;
      expect(after).toEqual({ ...before, due: 4000, count: 3, last: { due: 3000, sentAt: expect.any(Number), id, queue: "feeds" } });
      expect(Math.abs(after.last!.sentAt - (await store.due(0, 1)).now)).toBeLessThan(10_000);
      expect(await everything("feeds")).toEqual(ticks.map(({ messages }) => messages[0].message));
    });

    test("go to all queues of theirs, and wait there as their messages say", async () => {
      const { stage, store, lead, prepare, read } = at();
      const term = await lead();
      const entry = await prepare(term, "a", 1000);
      const { now } = await store.due(0, 1);
      const message = (queue: string, fields = {}) => ({ queue, message: messageOf({ args: [queue], ...fields }) });
      const tick: Tick = {
        due: 1000,
        messages: [
          message("feeds", { priority: 5, expires: now + 60_000 }),
          message("mails", { eta: now + 300 }),
          message("feeds", { eta: now - 5 }),
        ],
        skipIfUnfinished: false,
      };
      expect(await store.advance(term, [advanceOf(entry, [tick])])).toEqual([{ sent: 1, overlapped: 0, duplicates: 0 }]);
      expect(await read("a")).toMatchObject({ count: 1, last: { queue: "feeds", id: tick.messages[0].message.id } });
      expect(await stage.counts("mails")).toMatchObject({ waiting: 0, delayed: 1 });
      const [urgent, mail, feed] = tick.messages.map((routed) => routed.message);
      expect(await everything("feeds")).toEqual([feed, urgent]);
      expect((await hear(stage.consume(["mails"]), 1)).map(contentOf)).toEqual([mail]);
    });

    test("are sent once, whoever else tries; one who repeats hears what became of them", async () => {
      const { stage, store, open, lead, prepare } = at();
      const term = await lead();
      const advances = [
        advanceOf(await prepare(term, "a", 1000), [tickOf(1000)], 2000),
        advanceOf(await prepare(term, "b", 1000), [tickOf(1000)]),
      ];
      const done = [
        { sent: 1, overlapped: 0, duplicates: 0 },
        { sent: 1, overlapped: 0, duplicates: 0 },
      ];
      const other = open();
      expect(await Promise.all([store, other, store].map((one) => one.advance(term, advances)))).toEqual([done, done, done]);
      const consumer = stage.consume(["feeds"]);
      const settle = (await take(consumer, 10)).map((delivery) => settlementOf(delivery, outcomes.succeeded));
      expect(settle).toHaveLength(2);
      await consumer.settleAndTake({ settle, take: 0 });
      // Also when their messages have ended and are gone.
      await stage.engine.queues.purge("feeds");
      expect(await store.advance(term, advances)).toEqual(done);
      await store.resign(term);
      expect(await other.advance(term, advances)).toEqual(["deposed", "deposed"]);
      expect(await store.advance(await lead(), advances)).toEqual(["changed", "changed"]);
      expect(await everything("feeds")).toEqual([]);
    });

    test("are sent once each, in their order, however often the leader changes", async () => {
      const { store, open, lead, prepare } = at();
      const last = 40;
      const first = await lead();
      await prepare(first, "a", 1);
      await store.resign(first);
      // Each goes on with what it knows, also when it does not lead any more: its term has run out, or it has given it up.
      const beat = async (length: number) => {
        const own = open(length);
        for (let term: Term | undefined; ;) {
          term = (await own.campaign()) ?? term;
          const [entry] = (await own.due(last, 1)).entries;
          if (entry === undefined) return;
          const due = entry.due as number;
          if (term === undefined) continue;
          await own.advance(term, [advanceOf(entry, [tickOf(due)], due + 1)]);
          if (length === long) await own.resign(term);
        }
      };
      // Terms that run out between two commands, and, where every command takes longer, one in which something is done.
      const long = 10_000;
      await Promise.all([beat(5), beat(5), beat(long)]);
      expect((await everything("feeds")).map(({ args }) => args[0])).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    });

    test("of entries that have changed, or ticked, or are gone, are not sent; those of others are", async () => {
      const { store, lead, prepare, read } = at();
      const term = await lead();
      const names = ["set", "paused", "removed", "ticked", "sound"];
      const entries = [];
      for (const name of names) entries.push(await prepare(term, name, 1000));
      await store.set({ name: "set", call });
      await store.pause("paused");
      await store.remove("removed");
      await store.advance(term, [advanceOf(await read("ticked"), [], 1500)]);
      await store.advance(term, [advanceOf(await read("ticked"), [], 1600)]);
      const advances = [...entries.map((entry) => advanceOf(entry, [tickOf(1000, "feeds", { args: [entry.name] })], 2000))];
      expect(await store.advance(term, advances)).toEqual([
        "changed",
        "changed",
        "changed",
        "changed",
        { sent: 1, overlapped: 0, duplicates: 0 },
      ]);
      expect(await everything("feeds")).toMatchObject([{ args: ["sound"] }]);
    });

    test.each([
      ["set anew", (name: string) => at().store.set({ name, call })],
      [
        "paused and resumed",
        (name: string) =>
          at()
            .store.pause(name)
            .then(() => at().store.resume(name)),
      ],
    ])("of an entry that was to be computed, and has been %s since, are not sent", async (_, change) => {
      const { stage, store, lead, read } = at();
      const term = await lead();
      await store.set({ name: "a", call });
      const before = await read("a");
      await change("a");
      expect(await store.advance(term, [advanceOf(before, [tickOf(1000)], 2000)])).toEqual(["changed"]);
      expect(await read("a")).not.toHaveProperty("due");
      expect(await stage.counts("feeds")).toMatchObject({ waiting: 0 });
    });

    test("of one entry whose message cannot be encoded do not keep back those of others, and it stays due", async () => {
      const { store, lead, prepare, read } = at();
      const term = await lead();
      const unsound = await prepare(term, "unsound", 1000);
      const large = await prepare(term, "large", 1000);
      const sound = await prepare(term, "sound", 1000);
      const advances = [
        advanceOf(unsound, [tickOf(1000), tickOf(2000, "feeds", { args: [1n] })], 3000),
        advanceOf(large, [tickOf(1000, "feeds", { args: ["x".repeat(2 ** 21)] })], 3000),
        advanceOf(sound, [tickOf(1000)], 3000),
      ];
      expect(await store.advance(term, advances)).toMatchObject([
        { code: "ENCODE_ERROR" },
        { code: "PAYLOAD_TOO_LARGE" },
        { sent: 1, overlapped: 0, duplicates: 0 },
      ]);
      expect(await store.read(["unsound", "large"])).toEqual([unsound, large]);
      expect(await read("sound")).toMatchObject({ due: 3000 });
      expect(await everything("feeds")).toHaveLength(1);
    });

    test("whose tasks are there already are not sent again, and are not counted", async () => {
      const { store, lead, prepare, read } = at();
      const term = await lead();
      const [first, second] = [tickOf(1000), tickOf(2000)];
      await store.advance(term, [advanceOf(await prepare(term, "a", 1000), [first], 500)]);
      const before = await read("a");
      const overlapping = { ...first, skipIfUnfinished: true };
      expect(await store.advance(term, [advanceOf(before, [first, overlapping, second], 3000)])).toEqual([
        { sent: 1, overlapped: 1, duplicates: 1 },
      ]);
      expect(await read("a")).toMatchObject({ count: 2, last: { due: 2000 } });
      expect((await everything("feeds")).map(({ args }) => args[0])).toEqual([1000, 2000]);
    });

    test("of an entry that gets a new version: who knows the former one has no say any more, but who repeats hears what he did", async () => {
      const { store, lead, prepare, read } = at();
      const term = await lead();
      const before = await prepare(term, "a", 1000);
      const advance = { ...advanceOf(before, [tickOf(1000)], 1000), newVersion: "other" };
      const done = [{ sent: 1, overlapped: 0, duplicates: 0 }];
      expect(await store.advance(term, [advance])).toEqual(done);
      expect(await read("a")).toMatchObject({ version: "other", due: 1000, count: 1 });
      expect(await store.advance(term, [advance])).toEqual(done);
      expect(await store.advance(term, [advanceOf(before, [tickOf(1000)], 2000)])).toEqual(["changed"]);
      expect(await everything("feeds")).toHaveLength(1);
    });

    test("may be many, of many entries", async () => {
      const { store, lead, open } = at();
      const term = await lead();
      await store.sync(
        term,
        Array.from({ length: 250 }, (_, number) => ({ name: `e${number}`, call })),
      );
      const entries = await store.list();
      const advances = entries.map((entry, number) =>
        advanceOf(entry, number === 7 ? Array.from({ length: 250 }, (__, due) => tickOf(due)) : [tickOf(1)], 2),
      );
      const outcome = entries.map((_, number) => ({ sent: number === 7 ? 250 : 1, overlapped: 0, duplicates: 0 }));
      expect(await store.advance(term, advances)).toEqual(outcome);
      expect(await open().advance(term, advances)).toEqual(outcome);
      expect(await store.advance(term, [])).toEqual([]);
      expect(await at().stage.counts("feeds")).toMatchObject({ waiting: 499 });
    });
  });

  describe("a tick that is not to overlap", () => {
    const skipping = (due: number, fields = {}) => tickOf(due, "feeds", fields, true);

    test("is left out while the task of the last one waits, runs, is delayed or is to be retried, and is sent when that has ended", async () => {
      const { stage, store, lead, prepare, read } = at();
      const term = await lead();
      await prepare(term, "a", 1000);
      const tick = async () => {
        const entry = await read("a");
        const [outcome] = await store.advance(term, [advanceOf(entry, [skipping(entry.due!)], entry.due! + 1000)]);
        return outcome;
      };
      const [sent, left] = [
        { sent: 1, overlapped: 0, duplicates: 0 },
        { sent: 0, overlapped: 1, duplicates: 0 },
      ];
      expect(await tick()).toEqual(sent);
      expect(await tick()).toEqual(left);
      const consumer = stage.consume(["feeds"]);
      const [first] = await take(consumer, 5);
      expect(await tick()).toEqual(left);
      await consumer.settleAndTake({ settle: [settlementOf(first!, outcomes.requeued)], take: 0 });
      expect(await tick()).toEqual(left);
      const [again] = await take(consumer, 5);
      await consumer.settleAndTake({ settle: [settlementOf(again!, outcomes.failed)], take: 0 });
      expect(await read("a")).toMatchObject({ count: 1, last: { due: 1000 } });
      expect(await tick()).toEqual(sent);
      expect(await read("a")).toMatchObject({ count: 2, last: { due: 5000 } });
      // Gone, by hand.
      await stage.engine.queues.purge("feeds");
      expect(await tick()).toEqual(sent);
    });

    test("is left out behind one that is sent together with it", async () => {
      const { store, lead, prepare, read } = at();
      const term = await lead();
      const entry = await prepare(term, "a", 1000);
      const ticks = [skipping(1000), skipping(2000), tickOf(3000, "mails"), skipping(4000)];
      expect(await store.advance(term, [advanceOf(entry, ticks, 5000)])).toEqual([{ sent: 2, overlapped: 2, duplicates: 0 }]);
      expect(await read("a")).toMatchObject({ count: 2, last: { due: 3000, queue: "mails" } });
      expect(await everything("feeds")).toMatchObject([{ args: [1000] }]);
    });
  });
}

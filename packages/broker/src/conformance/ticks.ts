import type { Tick } from "../ports/schedules.js";
import { equal, matches } from "./assertions.js";
import { advanceOf, call, entryOf, lead, prepare, tickOf } from "./calendar.js";
import { messageOf, outcomes, settlementOf } from "./messages.js";
import { contentOf, take, takeOne, type Stage } from "./stage.js";
import type { Suite } from "./suite.js";

const everything = async (stage: Stage, queue: string) => (await take(stage.consume([queue]), 1000)).map(contentOf);

const sentOnce = { sent: 1, overlapped: 0, duplicates: 0 };

export function describeTicks({ describe, test }: Suite): void {
  describe("ticks", () => {
    test("of an entry that is due: they are sent in the order of their times, and the entry goes on", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const before = await prepare(schedules, term, "a", 1000);
      const ticks = [tickOf(1000, "feeds", { headers: { beat: "a" } }), tickOf(2000), tickOf(3000)];
      equal(await schedules.advance(term, [advanceOf(before, ticks, 4000)]), [{ sent: 3, overlapped: 0, duplicates: 0 }]);
      const { last, ...after } = await entryOf(schedules, "a");
      equal(after, { ...before, due: 4000, count: 3 });
      matches(last, { due: 3000, id: ticks[2]?.messages[0].message.id, queue: "feeds" });
      equal(
        await everything(stage, "feeds"),
        ticks.map(({ messages }) => messages[0].message),
      );
    });

    test("with copies: they go to all their queues, and wait there as their messages say", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const entry = await prepare(schedules, term, "a", 1000);
      const now = Math.floor(stage.now());
      const [urgent, mail, feed] = [messageOf({ priority: 5 }), messageOf({ eta: now + 300 }), messageOf({ eta: now - 5 })];
      const messages = [
        { queue: "feeds", message: urgent },
        { queue: "mails", message: mail },
        { queue: "feeds", message: feed },
      ] as const;
      const tick: Tick = { due: 1000, messages, skipIfUnfinished: false };
      equal(await schedules.advance(term, [advanceOf(entry, [tick])]), [sentOnce]);
      matches(await entryOf(schedules, "a"), { count: 1, last: { queue: "feeds", id: urgent.id } });
      matches(await stage.counts("mails"), { waiting: 0, delayed: 1 });
      equal(await everything(stage, "feeds"), [feed, urgent]);
      equal((await stage.hear(stage.consume(["mails"]), 1)).map(contentOf), [mail]);
    });

    test("that are advanced twice in one term: they are sent once, and the second hears what became of them", async (stage) => {
      const [one, other] = [stage.engine.schedules, stage.other.schedules];
      const term = await lead(one);
      const advances = [advanceOf(await prepare(one, term, "a", 1000), [tickOf(1000)], 2000)];
      equal(await Promise.all([one, other, one].map((schedules) => schedules.advance(term, advances))), [
        [sentOnce],
        [sentOnce],
        [sentOnce],
      ]);
      const consumer = stage.consume();
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
      equal(await one.advance(term, advances), [sentOnce]);
      await one.resign(term);
      equal(await other.advance(term, advances), ["deposed"]);
      equal(await one.advance(await lead(one), advances), ["changed"]);
      equal(await everything(stage, "feeds"), []);
    });

    test("of entries that have changed, or are gone: they are not sent, and those of others are", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const names = ["set", "paused", "removed", "sound"];
      const entries = [];
      for (const name of names) entries.push(await prepare(schedules, term, name, 1000));
      await schedules.set({ name: "set", call });
      await schedules.pause("paused");
      await schedules.remove("removed");
      const advances = entries.map((entry) => advanceOf(entry, [tickOf(1000, "feeds", { args: [entry.name] })], 2000));
      equal(await schedules.advance(term, advances), ["changed", "changed", "changed", sentOnce]);
      matches(await everything(stage, "feeds"), [{ args: ["sound"] }]);
    });

    test("of an entry that was to be computed, and has been paused and resumed since: they are not sent", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      await schedules.set({ name: "a", call });
      const before = await entryOf(schedules, "a");
      await schedules.pause("a");
      await schedules.resume("a");
      equal(await schedules.advance(term, [advanceOf(before, [tickOf(1000)], 2000)]), ["changed"]);
      matches(await stage.counts(), { waiting: 0 });
    });

    test("of an entry whose message cannot be sent: it stays due, and others tick", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const unsound = await prepare(schedules, term, "unsound", 1000);
      const large = await prepare(schedules, term, "large", 1000);
      const sound = await prepare(schedules, term, "sound", 1000);
      const advances = [
        advanceOf(unsound, [tickOf(1000), tickOf(2000, "feeds", { args: [1n] })], 3000),
        advanceOf(large, [tickOf(1000, "feeds", { args: ["x".repeat(2 ** 21)] })], 3000),
        advanceOf(sound, [tickOf(1000)], 3000),
      ];
      matches(await schedules.advance(term, advances), [{ code: "ENCODE_ERROR" }, { code: "PAYLOAD_TOO_LARGE" }, sentOnce]);
      equal(await schedules.read(["unsound", "large"]), [unsound, large]);
      equal((await everything(stage, "feeds")).length, 1);
    });

    test("whose tasks are there already: they are not sent again, and not counted", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const [first, second] = [tickOf(1000), tickOf(2000)];
      await schedules.advance(term, [advanceOf(await prepare(schedules, term, "a", 1000), [first], 500)]);
      const before = await entryOf(schedules, "a");
      const overlapping = { ...first, skipIfUnfinished: true };
      const counts = [{ sent: 1, overlapped: 1, duplicates: 1 }];
      equal(await schedules.advance(term, [advanceOf(before, [first, overlapping, second], 3000)]), counts);
      matches(await entryOf(schedules, "a"), { count: 2, last: { due: 2000 } });
      equal((await everything(stage, "feeds")).length, 2);
    });

    test("of an entry that gets a new version: who knows the former one has no say any more", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const before = await prepare(schedules, term, "a", 1000);
      const advance = { ...advanceOf(before, [tickOf(1000)], 1000), newVersion: "other" };
      equal(await schedules.advance(term, [advance]), [sentOnce]);
      matches(await entryOf(schedules, "a"), { version: "other", due: 1000, count: 1 });
      equal(await schedules.advance(term, [advance]), [sentOnce]);
      equal(await schedules.advance(term, [advanceOf(before, [tickOf(1000)], 2000)]), ["changed"]);
      equal((await everything(stage, "feeds")).length, 1);
    });

    test("that are not to overlap, of one advance: those behind one that is sent are left out", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const entry = await prepare(schedules, term, "a", 1000);
      const skipping = (due: number) => tickOf(due, "feeds", {}, true);
      const ticks = [skipping(1000), skipping(2000), tickOf(3000, "mails"), skipping(4000)];
      equal(await schedules.advance(term, [advanceOf(entry, ticks, 5000)]), [{ sent: 2, overlapped: 2, duplicates: 0 }]);
      matches(await entryOf(schedules, "a"), { count: 2, last: { due: 3000, queue: "mails" } });
    });

    test("that are not to overlap: they are left out until the task of the last one has ended", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      await prepare(schedules, term, "a", 1000);
      const tick = async () => {
        const entry = await entryOf(schedules, "a");
        const due = entry.due ?? 0;
        return (await schedules.advance(term, [advanceOf(entry, [tickOf(due, "feeds", {}, true)], due + 1000)]))[0];
      };
      const left = { sent: 0, overlapped: 1, duplicates: 0 };
      equal([await tick(), await tick()], [sentOnce, left]);
      const consumer = stage.consume();
      const first = await takeOne(consumer);
      equal(await tick(), left);
      await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.requeued)], take: 0 });
      equal(await tick(), left);
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcomes.failed)], take: 0 });
      equal(await tick(), sentOnce);
      matches(await entryOf(schedules, "a"), { count: 2, last: { due: 5000 } });
    });
  });
}

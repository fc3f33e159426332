import { equal, isTrue, matches } from "./assertions.js";
import { advanceOf, call, entryOf, lead, tickOf } from "./calendar.js";
import type { Suite } from "./suite.js";

export function describeTerms({ describe, test }: Suite): void {
  describe("the term of a beat", () => {
    test("that several campaign for: one leads", async (stage) => {
      const [one, other] = [stage.engine.schedules, stage.other.schedules];
      const terms = await Promise.all([one, other, one].map((schedules) => schedules.campaign()));
      matches(
        terms.filter((term) => term !== undefined),
        [{ epoch: 1 }],
      );
      equal(await one.campaign(), undefined);
    });

    test("that is resigned: others are told, and lead at once; again, and afterwards, nothing happens", async (stage) => {
      const [one, other] = [stage.engine.schedules, stage.other.schedules];
      const told: string[] = [];
      const stop = await other.subscribe((news) => told.push(news));
      const first = await lead(one);
      await one.resign(first);
      await stage.eventually("word of it", () => told.length === 1);
      const second = await lead(other);
      equal(second.epoch, first.epoch + 1);
      isTrue(second.token !== first.token, "each term has a token of its own");
      await one.resign(first);
      equal(await other.renew(second), true);
      await one.set({ name: "a", call });
      await stage.eventually("word of the entry", () => told.length > 1);
      equal(told, ["resigned", "changed"]);
      stop();
    });

    test("that is renewed: it lasts, and no longer than that", async (stage) => {
      const [one, other] = [stage.engine.schedules, stage.other.schedules];
      const term = await lead(one);
      const until = stage.now() + 2 * stage.space.lead;
      await stage.eventually("two terms", async () => {
        equal([await one.renew(term), await other.campaign()], [true, undefined]);
        return stage.now() > until;
      });
      matches(await stage.eventually("end of the term", () => other.campaign()), { epoch: 2 });
      equal(await one.renew(term), false);
    });

    for (const how of ["was resigned", "ran out"]) {
      test(`that ${how}: nothing is written in it`, async (stage) => {
        const [one, other] = [stage.engine.schedules, stage.other.schedules];
        const term = await lead(one);
        await one.set({ name: "a", call });
        const entry = await entryOf(one, "a");
        if (how === "was resigned") await one.resign(term);
        await stage.eventually("end of the term", () => other.campaign());
        const entries = [{ name: "b", call }];
        equal(
          [await one.renew(term), await one.sync(term, entries), await one.sync(term, []), await one.restore(term, entries)],
          [false, false, false, false],
        );
        equal(await one.advance(term, [advanceOf(entry, [tickOf(1)], 2), advanceOf(entry)]), ["deposed", "deposed"]);
        equal(await other.list(), [entry]);
        matches(await stage.counts(), { waiting: 0 });
      });
    }
  });
}

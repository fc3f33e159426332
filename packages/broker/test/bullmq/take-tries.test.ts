import { expect, test } from "vitest";
import { LostTakes } from "../../src/bullmq/lost-takes.js";
import { QueueAvailability } from "../../src/bullmq/queue-availability.js";
import { TakeTries } from "../../src/bullmq/take-tries.js";

/** The tries of a call that takes `take` messages, and what its watch hears; `ended` is what that answers. */
function stage({ take = 1, ended = true } = {}) {
  const heard: string[] = [];
  const availability = new QueueAvailability(2);
  availability.answered(availability.look([0, 1]), 0, { gave: [], dry: [{ queue: 0 }, { queue: 1 }], broken: false });
  const lostTakes = new LostTakes(["a:", "b:"]);
  const watch = {
    begun: (token: string) => heard.push(`begun ${token}`),
    ended: (number: number) => {
      heard.push(`ended ${number}`);
      return ended;
    },
  };
  return { heard, availability, lostTakes, tries: new TakeTries({ token: "t", take, lostTakes, availability, watch }) };
}

test("a second try has tokens of its own, and the watch hears of both", () => {
  const { tries, heard } = stage();
  tries.begin([1, -2]);
  expect([tries.token, tries.repeated, tries.look.queues]).toEqual(["t:0", false, [0, 1]]);
  tries.begin([2]);
  expect([tries.token, tries.repeated, tries.look.queues]).toEqual(["t:1", true, [1]]);
  tries.arrived();
  expect(heard).toEqual(["begun t:0", "ended 1", "begun t:1", "ended 3"]);
});

test("a reply is lost: what it took is to be put back, and its queues may hold work", () => {
  const { tries, lostTakes, availability } = stage();
  tries.begin([2]);
  tries.lost();
  expect([lostTakes.empty, availability.mayHold(0, 0), availability.mayHold(1, 0)]).toEqual([false, false, true]);
});

test("nothing was sent or taken: nothing is lost", () => {
  const unsent = stage();
  unsent.tries.lost();
  const idle = stage({ take: 0 });
  idle.tries.begin([]);
  idle.tries.lost();
  expect([unsent.lostTakes.empty, idle.lostTakes.empty, idle.heard]).toEqual([true, true, []]);
});

test("somebody has put back what was taken: it is not to run, and that is said once", () => {
  const { tries } = stage({ ended: false });
  tries.begin([1]);
  expect([tries.arrived(), tries.arrived()]).toEqual([false, true]);
});

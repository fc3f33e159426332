import { expect, onTestFinished, test } from "vitest";
import { systemTiming, type Timing } from "../../src/shared-timer.js";
import { InflightCommands } from "../../src/redis/inflight-commands.js";

/** The system's timers, counted. */
function counted() {
  let timers = 0;
  const timing: Timing = { ...systemTiming, setTimer: (ring, delay) => (timers++, systemTiming.setTimer(ring, delay)) };
  return { timing, timers: () => timers };
}

/** Flights on `timing`, lost when the test has ended. */
function open(timing: Timing): InflightCommands {
  const flights = new InflightCommands(timing);
  onTestFinished(() => flights.lose(new Error("the test has ended")));
  return flights;
}

/** An answer that is given when the test says so. */
function question() {
  let answer: (value: string) => void = () => {};
  const asked = new Promise<string>((resolve) => (answer = resolve));
  return { asked, answer };
}

const never = new Promise<never>(() => {});
const after = (delay: number) => systemTiming.now() + delay;
const messageOf = (promise: Promise<unknown>) => promise.then(String, (error: Error) => error.message);
/** Timers that keep the process alive, those of vitest included. */
const holding = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

test("a thousand commands in flight, and a thousand one after the other, cost one timer", async () => {
  const { timing, timers } = counted();
  const flights = open(timing);
  const { asked, answer } = question();
  const together = Array.from({ length: 1000 }, () => flights.add(asked, after(5000)));
  answer("an answer");
  expect(new Set(await Promise.all(together))).toEqual(new Set(["an answer"]));
  for (let index = 0; index < 1000; index++) await flights.add(Promise.resolve(index), after(5000));
  expect(timers()).toBe(1);
});

test("a deadline is kept while others with longer ones are in flight, whichever came first", async () => {
  const { timing, timers } = counted();
  const flights = open(timing);
  const { asked, answer } = question();
  const others = [flights.add(asked, after(60_000)), flights.add(asked, after(30_000))];
  const took = [120, 60].map(async (deadline) => {
    const since = systemTiming.now();
    expect(await messageOf(flights.add(never, after(deadline)))).toBe("no answer");
    return systemTiming.now() - since - deadline;
  });
  others.push(flights.add(asked, after(10_000)));
  for (const late of await Promise.all(took)) expect(late).toBeGreaterThanOrEqual(0);
  answer("in time");
  expect(await Promise.all(others)).toEqual(["in time", "in time", "in time"]);
  // One for each that was the earliest when it came or remained, and one more for each that rang a little early.
  expect(timers()).toBeLessThanOrEqual(9);
});

test("a command that is late is late for itself alone, and its answer is dropped", async () => {
  const flights = open(systemTiming);
  const { asked, answer } = question();
  const [late, other] = [messageOf(flights.add(asked, after(10))), flights.add(asked, after(5000))];
  expect(await late).toBe("no answer");
  answer("an answer");
  expect(await other).toBe("an answer");
});

test("an error is passed on, also one that comes when nobody waits for it any more", async () => {
  const flights = open(systemTiming);
  expect(await messageOf(flights.add(Promise.reject(new Error("refused")), after(5000)))).toBe("refused");
  let refuse: (error: Error) => void = () => {};
  const refused = new Promise((_, reject) => (refuse = reject));
  expect(await messageOf(flights.add(refused, after(0)))).toBe("no answer");
  refuse(new Error("refused"));
});

test("all are rejected when the connection is lost, and those that come later are not", async () => {
  const flights = open(systemTiming);
  const lost = Array.from({ length: 3 }, () => messageOf(flights.add(never, after(5000))));
  flights.lose(new Error("lost"));
  expect(await Promise.all(lost)).toEqual(["lost", "lost", "lost"]);
  expect(await flights.add(Promise.resolve("an answer"), after(5000))).toBe("an answer");
});

test("the process stays alive for what is in flight, and for nothing else", async () => {
  const flights = open(systemTiming);
  const before = holding();
  const { asked, answer } = question();
  const flight = flights.add(asked, after(5000));
  expect(holding()).toBe(before + 1);
  answer("an answer");
  await flight;
  expect(holding()).toBe(before);
  const again = messageOf(flights.add(never, after(6000)));
  expect(holding()).toBe(before + 1);
  flights.lose(new Error("lost"));
  await again;
  expect(holding()).toBe(before);
});

test("slow answers: only the first is looked after, and as before once they are fast again", async () => {
  let now = 0;
  let ring = () => {};
  let due = Infinity;
  const setTimer: Timing["setTimer"] = (call, delay) => {
    ring = call;
    due = now + delay;
    return systemTiming.setTimer(() => undefined, 0);
  };
  const advance = (to: number) => {
    while (due <= to) {
      now = due;
      due = Infinity;
      ring();
    }
    now = to;
  };
  const flights = open({ now: () => now, setTimer });
  let silences = 0;
  /** How often the answer was looked after until it came, `took` ms later. */
  async function ask(took: number): Promise<number> {
    const before = silences;
    const { asked, answer } = question();
    const answered = flights.add(asked, now + 5000, { limit: 1000, onSilent: () => silences++ });
    advance(now + took);
    answer("an answer");
    await answered;
    return silences - before;
  }
  expect([await ask(1500), await ask(1500), await ask(1500)]).toEqual([1, 0, 0]);
  expect(await ask(2500)).toBe(1);
  expect([await ask(10), await ask(1500)]).toEqual([0, 1]);
});

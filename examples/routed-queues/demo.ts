// npm run demo, in the root of the repository: two queues with a worker each, a task that waits
// until a worker takes from its queue, and a task that fails. It starts a private Redis, or uses
// databases 1 and 2 of the one at BULLRUSH_DEMO_REDIS_URL.
import { equal, match } from "node:assert/strict";
import { join } from "node:path";
import { TaskFailedError, type AsyncResult } from "bullrush";
import { openRedis } from "bullrush/embedded";
import { Stage } from "../stage.js";
import { add, app, divide, taskA, taskB } from "./tasks.js";

const began = performance.now();
const stage = new Stage(import.meta.url);

await stage.play(async () => {
  const url = process.env["BULLRUSH_DEMO_REDIS_URL"];
  const redis = await openRedis(url ? { url } : {});
  stage.atEnd(() => redis.stop());
  stage.atEnd(() => app.close());
  const broker = database(redis.url, 1);
  const backend = database(redis.url, 2);
  app.override({ broker, backend });
  const environment = { BULLRUSH_BROKER_URL: broker, BULLRUSH_RESULT_BACKEND: backend };
  console.log(`Redis: ${redis.description} (broker in database 1, results in database 2)`);

  stage.step("A worker for each of two queues");
  await stage.worker(["-A", "./tasks.ts", "-Q", "for_task_A", "-n", "workerA@%h"], environment);
  await stage.worker(["-A", "./tasks.ts", "-Q", "for_task_B", "-n", "workerB@%h"], environment);

  stage.step("Three calls; the routes choose the queues");
  const sum = await add.delay(1, 2);
  await show("taskA.delay(100, 200)", await taskA.delay(100, 200), 300);
  await show("taskB.delay(1, 2, 3)", await taskB.delay(1, 2, 3), 6);
  check("add.delay(1, 2)", await sum.status(), "PENDING");
  stage.say("add has no route: it waits in the queue `default`, from which nobody takes");

  stage.step("A third worker, for that queue");
  await stage.worker(["-A", "./tasks.ts", "-Q", "default", "-n", "workerC@%h"], environment);
  await show("add.delay(1, 2)", sum, 3);
  check("add.delay(1, 2)", await sum.status(), "SUCCESS");

  stage.step("A task that fails");
  const quotient = await divide.delay(1, 0);
  const error = await quotient.get({ timeout: "10s" }).catch((thrown: unknown) => thrown);
  await stage.heard("failed", quotient.id);
  check("divide.delay(1, 0)", await quotient.status(), "FAILURE");
  if (!(error instanceof TaskFailedError)) throw new Error("get() did not throw a TaskFailedError");
  stage.say(`get() throws a TaskFailedError; its cause, with the worker's stack, is\n${remoteStack(error)}`);

  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`\nAll as it should be, after ${seconds} s. Stopping the workers and the Redis`);
});

/** Shows the result of a task, below its worker's lines. Throws unless it is `expected`. */
async function show(call: string, result: AsyncResult<number>, expected: number): Promise<void> {
  const value = await result.get({ timeout: "10s" });
  await stage.heard("succeeded", result.id);
  check(call, value, expected);
}

function check(call: string, actual: number | string, expected: number | string): void {
  stage.say(`${call.padEnd(22)} → ${actual}`);
  equal(actual, expected, `${call} should have given ${expected}`);
}

/** `url` with database `number`. */
function database(url: string, number: number): string {
  return Object.assign(new URL(url), { pathname: `/${number}` }).href;
}

/** The first lines of the worker's stack, with files relative to the working directory. */
function remoteStack({ cause }: TaskFailedError): string {
  const { stack = "" } = cause as Error;
  match(stack, /routed-queues.tasks\.ts:\d+/, "the stack does not name the line of tasks.ts that threw");
  return stack.replaceAll(join(process.cwd(), "/"), "").replaceAll("file://", "").split("\n").slice(0, 2).join("\n");
}

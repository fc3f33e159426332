import { enclosingTask, runInTask } from "./context.js";
import { localContext } from "./local-context.js";
import type { Task, TaskFunction, TaskStub } from "./task.js";

/** The task whose function is `run` and whose sending side is `stub`: called, it runs here and now, with a context. */
export function callable<Args extends unknown[], Returned>(
  run: TaskFunction<Args, Returned>,
  stub: TaskStub<Args, Awaited<Returned>>,
): Task<Args, Returned> {
  const { name, ...sending } = stub;
  const call = (...args: Args): Returned => {
    const context = enclosingTask() ?? localContext(name, args);
    return runInTask(context, () => run.apply(context, args));
  };
  // The name of a function can only be defined anew.
  Object.defineProperty(call, "name", { value: name });
  return Object.assign(call, sending) as Task<Args, Returned>;
}

import { enclosingTask, runInTask } from "./context.js";
import { localContext } from "./local-context.js";
import type { Task, TaskFunction, TaskStub } from "./task.js";

/**
 * Makes a callable task of `run` and `stub`: a direct call runs the function here, with a context.
 */
export function callable<Args extends unknown[], Returned>(
  run: TaskFunction<Args, Returned>,
  stub: TaskStub<Args, Awaited<Returned>>,
): Task<Args, Returned> {
  const { name, ...sending } = stub;
  const call = (...args: Args): Returned => {
    const context = enclosingTask() ?? localContext(name, args);
    return runInTask(context, () => run.apply(context, args));
  };
  // A function's name can only be redefined.
  Object.defineProperty(call, "name", { value: name });
  return Object.assign(call, sending) as Task<Args, Returned>;
}

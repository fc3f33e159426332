import { BullrushError, toMilliseconds } from "@bullrush/broker";
import { kindOf, refuse } from "../options/check.js";
import { checkTaskName } from "../options/task-name.js";
import { checkTaskOptions, type TaskOptions } from "../options/task-options.js";
import type { TaskDefinition } from "../task/task.js";

/** The declared tasks of an app. */
export class TaskRegistry {
  readonly #definitions = new Map<string, TaskDefinition>();

  /** The declared tasks by name. */
  get definitions(): ReadonlyMap<string, TaskDefinition> {
    return this.#definitions;
  }

  /**
   * Declares a task whose function is `run`. Throws `INVALID_TASK_NAME`, `TASK_ALREADY_REGISTERED`,
   * `INVALID_OPTION`, `INVALID_QUEUE_NAME`.
   */
  add(name: string, options: TaskOptions, run: unknown): void {
    checkTaskName(name);
    if (typeof run !== "function") refuse(`the function of ${name}`, run === undefined ? "missing" : kindOf(run), "a function");
    checkTaskOptions(name, options);
    if (this.#definitions.has(name)) throw new BullrushError("TASK_ALREADY_REGISTERED", { task: name });
    const { resultExpires } = options;
    this.#definitions.set(name, {
      name,
      options,
      run: run as TaskDefinition["run"],
      ...(resultExpires !== undefined && { resultExpires: toMilliseconds(resultExpires, "resultExpires") }),
    });
  }

  /** The options of a task's declaration; empty for a task that is not declared here. */
  optionsOf(task: string): TaskOptions {
    return this.#definitions.get(task)?.options ?? {};
  }
}

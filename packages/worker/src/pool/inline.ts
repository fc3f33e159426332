import { readMessage } from "@bullrush/broker";
import type { Layers, TaskContext } from "@bullrush/client";
import { readerOf, type Execution } from "../execution/execution.js";
import { invoke, type Invoking } from "../execution/invoke.js";
import type { Attempt, Dependencies } from "../execution/retry.js";
import type { Pool } from "./pool.js";

/** Runs all tasks on this process's event loop: for work that mostly waits. `onEnd` hears that the function of a task has ended. */
export function inlinePool(
  contextOf: (execution: Execution) => TaskContext,
  surroundings: Dependencies,
  layers: Pick<Layers, "execute">,
  onEnd?: (context: TaskContext) => void,
): Pool {
  const { maxPayload } = surroundings;
  const invoking: Invoking<Execution> = {
    maxPayload,
    attemptOf: (execution) => attemptOf(execution, surroundings),
    isEach: ({ message }) => message.each === true,
    readerOf,
    layers,
    seen: ({ message, delivery: { queue } }) => ({ message, queue }),
    onEnd,
  };
  return {
    start: () => Promise.resolve(),
    run: (execution) => {
      execution.onBegin?.();
      return invoke(contextOf(execution), execution.definition, execution, invoking);
    },
    stop: () => Promise.resolve(),
  };
}

function attemptOf({ message, definition, delivery: { content, queue } }: Execution, surroundings: Dependencies): Attempt {
  const text = content.type === "message" ? content.text : undefined;
  const original = () => (text === undefined ? message : readMessage(message.id, message.task, text));
  return { message, original, definition, foreign: content.type === "external", queue, ...surroundings };
}

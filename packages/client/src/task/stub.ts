import type { Ignores } from "../canvas/canvas.js";
import { Group } from "../canvas/group.js";
import type { CanvasNode, Send } from "../canvas/node.js";
import type { AsyncResult } from "../result/async-result.js";
import type { Call } from "../publishing/call.js";
import { isCount, isList } from "../options/check.js";
import type { CallOptions, TaskOptions } from "../options/task-options.js";
import { callNode, Signature } from "../canvas/signature.js";
import type { TaskStub } from "./task.js";

/** The functions that send a task's calls, and the canvases that are made of them. */
interface Sending {
  send<Result>(call: Call): Promise<AsyncResult<Result>>;
  readonly begin: Send;
}

/** The sending side of task `name`. */
export function stubOf<Args extends unknown[], Result>(sending: Sending, name: string, declared: TaskOptions): TaskStub<Args, Result> {
  const { begin } = sending;
  const call = (args: readonly unknown[], each = false): Call => ({ task: name, args, declared, options: {}, ...(each && { each }) });
  const send = (args: Args, options: CallOptions = {}) => sending.send<Result>({ task: name, args, declared, options });
  const groupOf = <Item>(items: readonly Item[], argsOf: (item: Item, index: number) => readonly unknown[], each = false) => {
    isList(items, `what was given for the calls of ${name}`);
    const members: readonly CanvasNode[] = items.map((item, index) => callNode(call(argsOf(item, index), each), true));
    return new Group<never, Ignores>({ node: { type: "group", members }, send: begin, depth: 2 });
  };
  const listed = (list: Args, index: number): Args => {
    isList(list, `item ${index + 1} of the calls of ${name}`);
    return list;
  };
  return {
    name,
    delay: (...args) => send(args),
    applyAsync: send,
    s: (...args) => new Signature({ node: callNode(call(args), false), send: begin, depth: 1 }),
    si: (...args) => new Signature({ node: callNode(call(args), true), send: begin, depth: 1 }),
    map: (items) => groupOf(items, (item) => [item]),
    starmap: (lists) => groupOf(lists, (list, index) => listed(list, index)),
    chunks: (lists, size) => {
      isCount(size, `the size of the chunks of ${name}`);
      isList(lists, `what was given for the calls of ${name}`);
      lists.forEach(listed);
      const chunks = Array.from({ length: Math.ceil(lists.length / size) }, (_, index) => lists.slice(index * size, (index + 1) * size));
      return groupOf(chunks, (chunk) => chunk, true);
    },
  };
}

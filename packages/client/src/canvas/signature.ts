import { BaseCanvas } from "./base-canvas.js";
import type { Canvas } from "./canvas.js";
import { withOptions } from "./edit.js";
import { contentOf, type Content } from "./content.js";
import type { CallNode, Send } from "./node.js";
import type { AsyncResult } from "../result/async-result.js";
import type { Call } from "../publishing/call.js";
import { refuse } from "../options/check.js";
import type { CallSettings } from "../options/task-options.js";

/**
 * A call that is not sent yet, as `task.s(...args)` and `task.si(...args)` create it. Immutable.
 * One from `s` takes the result of the step before it in front of its arguments; one from `si`
 * takes nothing.
 */
export class Signature<out Result = unknown, in Needs extends unknown[] = []> extends BaseCanvas<Result, Needs, AsyncResult<Result>> {
  /** Name of the task. */
  readonly task: string;
  readonly args: readonly unknown[];
  readonly options: CallSettings;

  /** @internal */
  constructor(content: Content<CallNode>) {
    super(content);
    const { task, args, options } = content.node;
    this.task = task;
    this.args = args;
    this.options = options;
  }
}

/** The node of a call without links. */
export function callNode(call: Call, immutable: boolean): CallNode {
  return { type: "call", ...call, immutable, link: [], onError: [] };
}

/**
 * The node of a call that takes a value, with the links of its options. Throws `INVALID_OPTION` for
 * links that are not canvases, or of another app than `send`.
 */
export function linkedNode({ options: { link, linkError, ...options }, ...call }: Call, send: Send): CallNode {
  const links = { ...(link !== undefined && { link }), ...(linkError !== undefined && { linkError }) };
  return withOptions({ node: callNode({ ...call, options }, false), send }, links);
}

/**
 * The call of a signature. Throws `INVALID_OPTION`, naming its `place`, for any other value, and
 * for a signature with links.
 */
export function callOf(signature: unknown, place: string): Call {
  const { node } = contentOf(signature, place);
  if (node.type !== "call") refuse(place, `a ${node.type}`, "a signature: task.s(...)");
  if (hasLinks(node)) refuse(place, "a signature with links", "one without, or that it is sent by itself");
  return node;
}

/** Whether a call has links. */
export function hasLinks({ link, onError }: CallNode): boolean {
  return link.length > 0 || onError.length > 0;
}

/** The handles on the results of `Calls`, in order. */
export type HandlesOf<Calls extends readonly unknown[]> = { -readonly [Place in keyof Calls]: HandleOf<Calls[Place]> };

type HandleOf<Call> = Call extends Canvas<infer Result, never> ? AsyncResult<Result> : never;

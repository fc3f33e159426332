import { encodeMessage, type BullrushError, type Message, type RoutedMessage } from "@bullrush/broker";
import { isDate, isList, isPriority, isRecord, refuse } from "../options/check.js";
import type { Middleware } from "./middleware.js";
import type { PublishCall, PublishResult, PublishResults } from "./publish-call.js";

/** A middleware that surrounds sending. */
export type PublishLayer = Pick<Middleware, "name"> & { readonly publish: NonNullable<Middleware["publish"]> };

/** A message, and its copies for further queues. */
export type Part<P extends RoutedMessage> = readonly [first: P, ...copies: P[]];

/** For each call: `undefined` if it was sent, else the error, or that it was skipped. */
export type SendResults = readonly (BullrushError | "skipped" | undefined)[];

/** Sends messages; the results are those of the first message of each part. */
export type SendParts<P extends RoutedMessage> = (parts: readonly Part<P>[]) => Promise<SendResults>;

/** The built-in step that collects the results of a group; middleware does not see it. */
const internalTask = "bullrush.collect";

/** Sends `parts` through `layers`, the outermost first. Returns what `send` returns. */
export async function publishThrough<P extends RoutedMessage>(
  layers: readonly PublishLayer[],
  parts: readonly Part<P>[],
  maxPayload: number,
  send: SendParts<P>,
): Promise<SendResults> {
  // The indexes of the parts that middleware sees.
  const visible = parts.flatMap(([{ message }], index) => (message.task === internalTask ? [] : [index]));
  if (layers.length === 0 || visible.length === 0) return send(parts);
  const input = visible.map((index) => toCall((parts[index] as Part<P>)[0]));
  let results: SendResults = [];

  async function sendCalls(calls: readonly PublishCall[]): Promise<PublishResults> {
    const changed = [...parts];
    for (const [number, index] of visible.entries()) {
      changed[index] = changedPart(parts[index] as Part<P>, calls[number], input[number], maxPayload);
    }
    results = await send(changed);
    return visible.map((index, number) => resultOf(input[number], results[index]));
  }

  await layers.reduceRight<(calls: readonly PublishCall[]) => Promise<PublishResults>>(
    (next, layer) => (calls) => throughLayer(layer, calls, next),
    sendCalls,
  )(input);
  return results;
}

/**
 * Waits for the sending even if the middleware does not, and rejects if it failed, whatever the
 * middleware returns.
 */
async function throughLayer(
  { name, publish }: PublishLayer,
  calls: readonly PublishCall[],
  next: (calls: readonly PublishCall[]) => Promise<PublishResults>,
): Promise<PublishResults> {
  const what = `publish of middleware "${name}"`;
  let sending: Promise<PublishResults> | undefined;
  let isTwice = false;
  const once = async (changed: readonly PublishCall[]) => {
    isTwice = sending !== undefined;
    if (isTwice) refuse(what, "calling next() twice", "one call of next()");
    sending = checkedNext(name, calls, changed, next);
    return sending;
  };
  try {
    await publish(calls, once);
  } finally {
    await sending?.catch(() => undefined);
  }
  if (isTwice) refuse(what, "calling next() twice", "one call of next()");
  return sending ?? refuse(what, "ending without next()", "one call of next(), or an error");
}

async function checkedNext(
  middleware: string,
  input: readonly PublishCall[],
  changed: readonly PublishCall[],
  next: (calls: readonly PublishCall[]) => Promise<PublishResults>,
): Promise<PublishResults> {
  const what = `what middleware "${middleware}" gave to next()`;
  isList(changed, what);
  if (changed.length !== input.length) refuse(what, `${changed.length} calls`, `the ${input.length} calls that it got`);
  for (const [index, call] of changed.entries()) checkCall(call, input[index], middleware);
  return next(changed);
}

function checkCall(call: PublishCall, input: PublishCall | undefined, middleware: string): void {
  if (call === input || input === undefined) return;
  const of = (field: string) => `"${field}" of the call of ${input.task} that middleware "${middleware}" gave to next()`;
  isRecord(call, `a call that middleware "${middleware}" gave to next()`);
  for (const field of ["id", "task", "queue"] as const) {
    if (call[field] !== input[field]) refuse(of(field), "changed", "what it was: use routes or options of the call");
  }
  isList(call.args, of("args"));
  isRecord(call.headers, of("headers"));
  isPriority(call.priority, of("priority"));
  if (call.eta !== undefined) isDate(call.eta, of("eta"));
  if (call.expires !== undefined) isDate(call.expires, of("expires"));
}

/** The call of a message, as middleware sees it. */
export function toCall({ queue, message }: RoutedMessage): PublishCall {
  const { id, task, args, headers, priority, rootId, parentId, eta, expires } = message;
  return {
    id,
    task,
    args,
    queue,
    headers,
    priority,
    rootId,
    ...(parentId !== undefined && { parentId }),
    ...(eta !== undefined && { eta: new Date(eta) }),
    ...(expires !== undefined && { expires: new Date(expires) }),
  };
}

function changedPart<P extends RoutedMessage>(
  part: Part<P>,
  call: PublishCall | undefined,
  input: PublishCall | undefined,
  maxPayload: number,
): Part<P> {
  if (call === undefined || call === input) return part;
  const [first, ...copies] = part;
  const change = (one: P): P => {
    const message = changedMessage(one.message, call);
    return { ...one, message, text: encodeMessage(message, maxPayload) };
  };
  return [change(first), ...copies.map(change)];
}

function changedMessage({ eta: _, expires: __, ...message }: Message, { args, headers, priority, eta, expires }: PublishCall): Message {
  const { fanoutOf } = message.headers;
  return {
    ...message,
    args,
    headers: fanoutOf === undefined ? headers : { ...headers, fanoutOf },
    priority,
    ...(eta !== undefined && { eta: Math.max(0, eta.getTime()) }),
    ...(expires !== undefined && { expires: Math.max(0, expires.getTime()) }),
  };
}

function resultOf(call: PublishCall | undefined, result: SendResults[number]): PublishResult {
  const { id = "" } = call ?? {};
  if (result === undefined) return { id, sent: true };
  return result === "skipped" ? { id, sent: false } : { id, sent: false, error: result };
}

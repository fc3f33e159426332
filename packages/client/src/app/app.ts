import {
  BullrushError,
  checkTaskId,
  decodeJson,
  type Engine,
  type Flow,
  type Message,
  type OnConnectionError,
  type RedisLocation,
} from "@bullrush/broker";
import { Beat } from "../beat/beat.js";
import { tickOf, type DueEntry } from "../beat/tick.js";
import type { RevokeOptions } from "../control/revoke.js";
import type { Canvas, CanvasData, Ignores, SingleCall } from "../canvas/canvas.js";
import { canvasOf, type SomeCanvas, type SomeHandle } from "../canvas/canvas-of.js";
import { holding } from "../canvas/content.js";
import { nodeOf } from "../canvas/data.js";
import { emptyResult } from "../canvas/handles.js";
import { AsyncResult } from "../result/async-result.js";
import type { Handle } from "../result/handle.js";
import type { GroupResult } from "../result/group-result.js";
import { emptyGroupOf } from "../result/empty-group.js";
import { restoredGroup, restoredResult } from "../result/restored.js";
import type { ResultData } from "../result/result-data.js";
import { callable } from "../task/callable.js";
import { isList, refuse } from "../options/check.js";
import { checkTaskName } from "../options/task-name.js";
import { checkTaskOptions, type CallOptions, type TaskOptions } from "../options/task-options.js";
import type { SendableBy } from "../task/sendable.js";
import { callOf, linkedNode, Signature, type HandlesOf } from "../canvas/signature.js";
import { stubOf } from "../task/stub.js";
import type { AnyTask, AnyTaskFunction, Stub, Task, TaskDefinition, TaskFunction, TaskOf, TaskStub } from "../task/task.js";
import { connect, type Connected, type WhenSent } from "./connected.js";
import { compileOptions, withQueueOf, type AppOptions, type CompiledOptions } from "./options.js";
import type { HookErrorListener } from "../middleware/hook-calls.js";
import { hookWarning } from "../middleware/hook-warning.js";
import { Layers } from "../middleware/layers.js";
import type { Middleware } from "../middleware/middleware.js";
import type { SendResults } from "../middleware/publish-through.js";
import type { Sending } from "../publishing/build-message.js";
import { Sender } from "./sender.js";
import { TaskRegistry } from "./task-registry.js";

/**
 * Declares an app. Nothing is connected before the first call. Throws `INVALID_OPTION`,
 * `INVALID_URL` or `INVALID_QUEUE_NAME`.
 */
export function createApp<Calls extends Record<string, unknown[]> = Record<string, unknown[]>>(options: AppOptions<Calls> = {}): App {
  return new App(options);
}

/** How long `close()` waits for calls that are on their way, in ms. */
const closeTimeout = 3000;

const mark = Symbol.for("bullrush.app");

/** Configuration, task registry and connections in one object. Made by `createApp`. */
export class App {
  /**
   * @internal Marks apps, so that a worker finds one among a module's exports, whichever copy of
   * this package created it.
   */
  readonly [mark] = true;
  readonly #given: AppOptions;
  readonly #registry = new TaskRegistry();
  #options: CompiledOptions;
  #connected: Connected | undefined;
  #connectionErrorListener: OnConnectionError | undefined;
  #hookListener: HookErrorListener = hookWarning();
  #closed = false;
  #whenSent: WhenSent | undefined;
  /** @internal The middleware, for workers and beats. */
  readonly layers = new Layers((text, cause) => this.#hookListener(text, cause));
  readonly #sender = new Sender(
    () => this.#connect(),
    () => this.#options,
    this.layers,
  );

  /** The periodic calls. */
  readonly beat = new Beat({
    store: () => this.engine.schedules,
    options: () => this.#options,
    declaredOf: (task) => this.#registry.optionsOf(task),
    send: (call) => this.#sender.send(call),
  });

  /** @internal */
  constructor(given: AppOptions) {
    this.#given = given;
    this.#options = compileOptions(given, process.env);
  }

  /**
   * The compiled options, with every default. `queues` grows when a task that is declared later
   * names another queue.
   */
  get options(): CompiledOptions {
    return this.#options;
  }

  /** The declared tasks by name. */
  get tasks(): ReadonlyMap<string, TaskDefinition> {
    return this.#registry.definitions;
  }

  /** The engine. It connects at its first use. */
  get engine(): Engine {
    return this.#connect().engine;
  }

  /**
   * Declares a task: a named function that workers run. Argument and result types are inferred; a
   * type that JSON cannot carry does not compile. Throws `INVALID_TASK_NAME`,
   * `TASK_ALREADY_REGISTERED`, `INVALID_OPTION`, `INVALID_QUEUE_NAME`.
   */
  task<Run extends AnyTaskFunction>(name: string, run: Run & SendableBy<Run>): TaskOf<Run>;
  task<Run extends AnyTaskFunction>(name: string, options: TaskOptions, run: Run & SendableBy<Run>): TaskOf<Run>;
  task<Args extends unknown[], Returned>(
    name: string,
    second: TaskOptions | TaskFunction<Args, Returned>,
    third?: TaskFunction<Args, Returned>,
  ): Task<Args, Returned> {
    const [options, run] = typeof second === "function" ? [{}, second] : [second, third];
    this.#registry.add(name, options, run);
    this.#options = withQueueOf(options, this.#options);
    return callable(run as TaskFunction<Args, Returned>, this.#stub<Args, Awaited<Returned>>(name, options));
  }

  /**
   * Returns a task that is declared elsewhere, typed by its declaration:
   * `app.stub<typeof import("./tasks.js").add>("tasks.add")`. A stub can be sent, not run.
   */
  stub<T extends AnyTask = Task>(name: string, options: TaskOptions = {}): Stub<T> {
    checkTaskName(name);
    checkTaskOptions(name, options);
    return this.#stub(name, options) as Stub<T>;
  }

  /** Sends a call by the task's name alone. Rejects as `delay()` does. */
  async sendTask<Result = unknown>(name: string, args: readonly unknown[] = [], options: CallOptions = {}): Promise<AsyncResult<Result>> {
    checkTaskName(name);
    return this.#sender.send<Result>({ task: name, args, declared: this.#registry.optionsOf(name), options });
  }

  /**
   * Sends many calls in as few round trips as possible, and returns their handles in order:
   * `app.publishAll([add.s(1, 2), greet.s("ann")])`. This app's routes apply. If a call cannot be
   * encoded or routed, it rejects with that error and sends nothing. If some calls are not
   * confirmed, it rejects with a `PublishError`, whose `results` say which.
   */
  async publishAll<const Calls extends readonly Signature[]>(calls: Calls): Promise<HandlesOf<Calls>> {
    isList(calls, "what was given to publishAll()");
    return (await this.#sender.sendAll(calls.map((call, index) => callOf(call, `call ${index + 1} of publishAll()`)))) as HandlesOf<Calls>;
  }

  /**
   * Returns a call by the task's name alone, to send later or as part of a canvas. Throws
   * `INVALID_TASK_NAME`, and `INVALID_OPTION` for links that are not canvases.
   */
  signature<Result = unknown>(name: string, args: readonly unknown[] = [], options: CallOptions = {}): Signature<Result, Ignores> {
    checkTaskName(name);
    const { begin } = this.#sender;
    return new Signature(holding(linkedNode({ task: name, args, declared: this.#registry.optionsOf(name), options }, begin), begin));
  }

  /**
   * Restores a canvas from `data`, the `toJSON()` of one: the form in which a task can receive a
   * canvas as an argument. Its tasks get the options with which this app declares them. Throws
   * `INVALID_OPTION`, naming the place, for other data, `INVALID_QUEUE_NAME`, `INVALID_TASK_ID`.
   */
  canvas<Result = unknown>(data: CanvasData): SomeCanvas<Result> {
    return canvasOf(
      nodeOf(data, (task) => this.#registry.optionsOf(task), "the data"),
      this.#sender.begin,
    ) as SomeCanvas<Result>;
  }

  /**
   * @internal Compiles the flow that replaces the task of `message`, from `queue`, after
   * `this.replace(canvas)`. The same canvas gives the same flow at every run of the task. Throws as
   * sending the canvas does.
   */
  replacementOf(canvas: Canvas, message: Message, queue: string): Flow {
    return this.#sender.replacement(canvas, message, queue);
  }

  /**
   * @internal Adds `signature` to the group of which the task of `member` is a member. `number`
   * counts the calls of `this.addToChord()` in one run, from 0. Throws as that does.
   */
  addToChord<Sent extends Handle>(signature: SingleCall<Sent>, member: Message, ordinal: number): Promise<Sent> {
    return this.#sender.addMember(signature, member, ordinal) as Promise<Handle> as Promise<Sent>;
  }

  /**
   * Adds a middleware: a layer around sending and running, and hooks. The first added is the
   * outermost. Add it in the module that declares the app, so that the runners of a worker's pool
   * have it too. Throws `INVALID_OPTION` for a value that is not a middleware, and for a second one
   * of the same name.
   */
  use(middleware: Middleware): this {
    this.layers.use(middleware);
    return this;
  }

  /** @internal Passes the flow that runs in the place of a task through the middleware to `send`. Resolves as `send`, with whether it was sent, and rejects with what a middleware throws. */
  surroundReplacement(flow: Flow, send: (flow: Flow) => Promise<boolean>): Promise<boolean> {
    return this.#sender.surroundFlow(flow, send);
  }

  /**
   * @internal Passes the messages of an entry's ticks through the middleware to `send`, which
   * returns the result of each. Rejects with its error or a middleware's.
   */
  async surroundTicks(ticks: readonly Sending[], send: (ticks: readonly Sending[]) => Promise<SendResults>): Promise<void> {
    await this.layers.surround(ticks, this.#options.maxPayload, send);
  }

  /**
   * @internal Sets the listener for hooks that throw, reject or hang; a second call replaces it.
   * Default: a process warning.
   */
  onHookTrouble(listener: HookErrorListener): void {
    this.#hookListener = listener;
  }

  /**
   * @internal Builds the messages of a tick, for a beat to send, with the options of its task and
   * without a reply channel. Throws as sending the call does.
   */
  tickOf(entry: DueEntry): Sending {
    return tickOf(entry, this.#registry.optionsOf(entry.call.task), this.#options);
  }

  /**
   * Returns the handle on the result of a task that was sent elsewhere, in whichever queue it is.
   * Throws `INVALID_TASK_ID` unless `id` is a UUID.
   */
  asyncResult<Result = unknown>(id: string): AsyncResult<Result> {
    return new AsyncResult<Result>(() => this.#connect(), {
      id: checkTaskId(id),
      queues: this.#options.queues,
      elsewhere: true,
      own: false,
    });
  }

  /**
   * Restores the handle of a task or a group, with the steps before it, from the data of its
   * `toJSON()`: `app.restoreResult<number>(data)`. `data` may also be JSON text. The handle works
   * as that of `asyncResult(id)`, also on a result that has expired or was forgotten. Throws
   * `DECODE_ERROR` for other data.
   */
  restoreResult<Result = unknown>(data: ResultData | string): SomeHandle<Result> {
    const what = "the result that was given to restoreResult()";
    const decoded = typeof data === "string" ? decodeJson(data, what) : data;
    return restoredResult(() => this.#connect(), decoded, what) as SomeHandle<Result>;
  }

  /**
   * Returns the group that `save()` stored under this id, if it is still stored; an empty group
   * that no app created is always found. Throws `INVALID_TASK_ID`, `DECODE_ERROR`,
   * `RESULT_BACKEND_UNAVAILABLE`.
   */
  async groupResult(id: string): Promise<GroupResult | undefined> {
    const empty = emptyGroupOf(checkTaskId(id));
    if (empty !== undefined) return emptyResult(empty, checkTaskId(id));
    const text = await this.engine.results.readGroup(checkTaskId(id));
    return text === undefined ? undefined : restoredGroup(() => this.#connect(), text);
  }

  /**
   * Revokes tasks in whichever queue they are: the queues that the app declares, and all queues to
   * which any app under its prefix has ever sent. Returns for each id whether it is revoked:
   * `false` for a task that has ended, and for an id that is in none of these queues. If such an id
   * has no result, REVOKED is stored, so that a task that is sent later does not run. Throws
   * `INVALID_TASK_ID` and `INVALID_OPTION` before it does anything. After `BROKER_UNAVAILABLE` or
   * `RESULT_BACKEND_UNAVAILABLE` it may be half done, and is safe to repeat.
   */
  revoke(id: string, options?: RevokeOptions): Promise<boolean>;
  revoke(ids: readonly string[], options?: RevokeOptions): Promise<readonly boolean[]>;
  async revoke(input: string | readonly string[], options: RevokeOptions = {}): Promise<boolean | readonly boolean[]> {
    const ids = (Array.isArray(input) ? input : [input]).map(checkTaskId);
    const revoked = await this.#connect().revoke(ids, { queues: this.#options.queues, elsewhere: true }, options);
    return Array.isArray(input) ? revoked : revoked[0] === true;
  }

  /**
   * Replaces options before the first connection; a command's flags override the module's own
   * settings this way. Throws `INVALID_OPTION` after the first connection.
   */
  override(options: { readonly broker?: RedisLocation; readonly backend?: RedisLocation }): void {
    if (this.#connected !== undefined) refuse("override()", "called after the first connection", "a call before");
    const compiled = compileOptions({ ...this.#given, ...options }, process.env);
    this.#options = [...this.tasks.values()].reduce((all, task) => withQueueOf(task.options, all), compiled);
  }

  /**
   * @internal Puts `engine`, which keeps its state in this process, in the place of the app's own,
   * until the returned function is called: for tests. Everything that the app sends, reads or runs
   * meanwhile goes there. Closing the app closes that engine alone, and the app is as before
   * afterwards. Handles look where the app looks.
   */
  substitute(engine: Engine, whenSent?: WhenSent): () => void {
    const { engine: own, isLocal } = this.#options;
    const before = [this.#connected, this.#closed, this.#whenSent, this.#connectionErrorListener, this.#hookListener] as const;
    this.#options = { ...this.#options, engine, isLocal: true };
    [this.#connected, this.#closed, this.#whenSent] = [undefined, false, whenSent];
    const { waiter } = this.#connect();
    return () => {
      const { engine: _, ...options } = this.#options;
      this.#options = { ...options, isLocal, ...(own !== undefined && { engine: own }) };
      waiter.close(new BullrushError("APP_CLOSED", { app: options.name }));
      [this.#connected, this.#closed, this.#whenSent, this.#connectionErrorListener, this.#hookListener] = before;
    };
  }

  /** Hears why a connection fails, at each failure. One listener; a further one replaces it. */
  onConnectionError(listener: OnConnectionError): void {
    this.#connectionErrorListener = listener;
  }

  /**
   * Closes the connections, within 5 s. It first waits up to 3 s until the calls that were made
   * before are confirmed or refused. Waits for results, and whatever is called from now on, reject
   * with `APP_CLOSED`. Safe to call again.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const connected = this.#connected;
    if (connected === undefined) return this.#sender.close();
    connected.waiter.close(new BullrushError("APP_CLOSED", { app: this.#options.name }));
    await this.#sender.settled(closeTimeout);
    this.#sender.close();
    await connected.engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #stub<Args extends unknown[], Result>(name: string, declared: TaskOptions): TaskStub<Args, Result> {
    return stubOf<Args, Result>({ send: (call) => this.#sender.send(call), begin: this.#sender.begin }, name, declared);
  }

  #connect(): Connected {
    if (this.#closed) throw new BullrushError("APP_CLOSED", { app: this.#options.name });
    return (this.#connected ??= connect(
      () => this.#options,
      this.tasks,
      (service, reason) => this.#connectionErrorListener?.(service, reason),
      this.#whenSent,
    ));
  }
}

/** Whether `value` is an app, of this copy of the package or another. */
export function isApp(value: unknown): value is App {
  return typeof value === "object" && value !== null && mark in value;
}

import { failureReason, RemoteError, systemClock, toFailure, type Failure, type Message, type Outcome } from "@bullrush/broker";
import { type App, enclosingTask, SoftTimeLimitExceeded, type TaskContext, TaskRevokedError } from "@bullrush/client";
import { pino } from "pino";
import { discoverApp, OutputCapture, redactFailure, taskFields, ThrottledLog } from "@bullrush/program";
import { ExecutionContext, type ContextSource, type Subject } from "../../execution/context.js";
import { invoke, type Invoking, type Reader } from "../../execution/invoke.js";
import type { Dependencies } from "../../execution/retry.js";
import { Stop } from "../../execution/stop.js";
import { RunTrace } from "../../execution/run-trace.js";
import type { Load, StopReason, ToRunner } from "../messages.js";
import { enterRunner } from "./inside.js";
import type { Link } from "./link.js";

/** Does in a runner what its worker says over `link`. */
export function serve(link: Link): void {
  enterRunner();
  const server = new Server(link);
  link.listen((message) => void server.onMessage(message));
}

/** An execution, as far as a runner knows it. */
interface Inner extends Subject {
  readonly run: number;
  readonly original: () => Message;
  readonly reader: Reader;
  /** How often in a row it has looked at a result that was not there, by its id. */
  readonly polls: Map<string, number>;
}

/** What there is when the app is loaded. */
interface Loaded {
  readonly app: App;
  readonly source: ContextSource<Inner>;
  readonly invoking: Invoking<Inner>;
}

/** Most states that are being stored at a time. */
const mostStores = 50;

class Server {
  readonly #link: Link;
  /** The states that are being stored, by their calls. */
  readonly #stores = new Map<number, () => void>();
  /** Tells the latest state, which came while too many were being stored. */
  #tellLatest: (() => void) | undefined;
  /** The tasks of which it is said that they wait for others. */
  readonly #told = new Set<string>();
  #calls = 0;
  #loaded: Loaded | undefined;
  #current: Inner | undefined;
  /** Whether an exception of a run that had ended was told. */
  #faulty = false;
  #ending = false;

  constructor(link: Link) {
    this.#link = link;
  }

  async onMessage(message: ToRunner): Promise<void> {
    switch (message.type) {
      case "load":
        await this.#load(message);
        break;
      case "run":
        if (!this.#ending) await this.#run(message);
        break;
      case "stop":
        if (message.run === this.#current?.run) this.#current.stop.request(errorOf(message.reason));
        break;
      case "stored":
        this.#stores.get(message.call)?.();
        this.#stores.delete(message.call);
        this.#tellLatest?.();
        break;
      case "end":
        await this.#loaded?.app.close();
        process.exit(0);
    }
  }

  async #load({ module, broker, backend, worker, pool, level, captureConsole, limits, fullStacks = false }: Load): Promise<void> {
    const capture = captureConsole ? new OutputCapture((output) => this.#link.write(output)) : undefined;
    capture?.start();
    const log = pino({ level, base: null }, { write: (line: string) => this.#link.send({ type: "log", line }) });
    process.on("unhandledRejection", (error) => {
      log.error({ ...taskFields(), ...redactFailure(toFailure(error, { fullStacks })) }, "a promise was rejected, and nobody handled it");
    });
    process.on("uncaughtException", (error) => this.#uncaught(toFailure(error, { fullStacks })));
    try {
      const { app } = await discoverApp(module, process.cwd(), {});
      app.override({ ...(broker !== undefined && { broker }), ...(backend !== undefined && { backend }) });
      const { maxPayload } = app.options;
      const trouble = new ThrottledLog(log, systemClock);
      app.onHookTrouble((text, cause) => trouble.warn(text, cause));
      const source: Loaded["source"] = {
        worker,
        log,
        maxPayload,
        limits,
        storeState: (inner, state, meta) => this.#store(inner, state, meta),
        runnerPool: pool,
        addToChord: (signature, member, ordinal) => app.addToChord(signature, member, ordinal),
        onWait: (inner) => this.#tellWait(inner),
        onPoll: (inner, id, ended) => this.#notePoll(inner, id, ended),
      };
      const surroundings: Dependencies = {
        clock: systemClock,
        random: Math.random,
        maxPayload,
        fullStacks,
        replacementOf: (canvas, message, queue) => app.replacementOf(canvas, message, queue),
      };
      const attemptOf: Loaded["invoking"]["attemptOf"] = ({ message, original, reader, delivery: { queue } }, definition) => {
        return { message, original, definition, foreign: reader === "external", queue, ...surroundings };
      };
      const seen: Loaded["invoking"]["seen"] = ({ message, delivery: { queue } }) => ({ message, queue });
      const isEach: Loaded["invoking"]["isEach"] = ({ message }) => message.each === true;
      const onEnd = capture && ((context: TaskContext) => capture.flush(context));
      this.#loaded = {
        app,
        source,
        invoking: { maxPayload, attemptOf, isEach, readerOf: ({ reader }) => reader, layers: app.layers, seen, onEnd },
      };
      this.#link.send({ type: "ready" });
    } catch (error) {
      this.#link.send({ type: "unloadable", reason: failureReason(toFailure(error)) });
    }
  }

  async #run({ run, queue, message: text, reader }: Extract<ToRunner, { type: "run" }>): Promise<void> {
    const original = () => JSON.parse(text) as Message;
    const inner: Inner = {
      run,
      message: original(),
      original,
      reader,
      delivery: { queue },
      stop: new Stop(),
      trace: new RunTrace(),
      polls: new Map(),
    };
    this.#current = inner;
    const outcome = await this.#invoke(inner);
    this.#current = undefined;
    this.#tellLatest = undefined;
    const { children } = inner.trace;
    this.#link.send({ type: "done", run, outcome, memory: process.memoryUsage.rss(), ...(children && { children }) });
  }

  /** It is in no known state then, and ends: at once, unless what it runs is not to blame. */
  #uncaught(failure: Failure): void {
    const facts = { failure, ...taskFields() };
    const [culprit, current] = [enclosingTask(), this.#current];
    const spared = culprit !== undefined && current !== undefined && !isOf(culprit, current);
    if (!spared) {
      this.#ending = true;
      this.#link.send({ type: "crash", ...facts, ...(current && { run: current.run }) }, () => process.exit(1));
    } else if (!this.#faulty) {
      this.#faulty = true;
      this.#link.send({ type: "fault", ...facts });
    }
  }

  async #invoke(inner: Inner): Promise<Outcome> {
    if (this.#loaded === undefined) throw new TypeError("a runner runs nothing before it is ready");
    const { app, source, invoking } = this.#loaded;
    const { task } = inner.message;
    const definition = app.tasks.get(task);
    if (definition !== undefined) return invoke(new ExecutionContext(inner, source, definition.options), definition, inner, invoking);
    return { type: "requeued", reason: `no task "${task}" in this runner`, known: [...app.tasks.keys()] };
  }

  /** What comes while many are being stored is only remembered: a loop that does not wait is not to fill the link, and the memory behind it. */
  #store(inner: Inner, state: string, meta: string | undefined): Promise<void> {
    this.#tellLatest = undefined;
    if (this.#stores.size < mostStores) return this.#tell(inner, state, meta);
    this.#tellLatest = () => void this.#store(inner, state, meta);
    return Promise.resolve();
  }

  /** The slot stays with the task: its runner has nothing else to run. */
  #tellWait({ run, message: { task } }: Inner): undefined {
    if (this.#told.has(task)) return;
    this.#told.add(task);
    this.#link.send({ type: "waits", run });
  }

  /** One that looks again and again waits too. */
  #notePoll(inner: Inner, id: string, ended: boolean): undefined {
    const looks = ended ? 0 : (inner.polls.get(id) ?? 0) + 1;
    inner.polls.set(id, looks);
    if (looks === 2) this.#tellWait(inner);
  }

  #tell({ run }: Inner, state: string, meta: string | undefined): Promise<void> {
    const call = ++this.#calls;
    this.#link.send({ type: "state", run, call, state, ...(meta !== undefined && { meta }) });
    return new Promise((resolve) => this.#stores.set(call, resolve));
  }
}

function isOf({ id, queue }: TaskContext, { message, delivery }: Inner): boolean {
  return message.id === id && delivery.queue === queue;
}

function errorOf(reason: StopReason): Error {
  switch (reason.type) {
    case "soft-time-limit":
      return new SoftTimeLimitExceeded(reason.task, reason.limit);
    case "revoked":
      return new TaskRevokedError(reason.task, reason.id, reason.reason);
    case "other":
      return new RemoteError(reason.failure);
  }
}

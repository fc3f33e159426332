import type { ControlCommand } from "../ports/control-bus.js";
import { Calendar } from "./calendar.js";
import { FlowTable } from "./flows/flow-table.js";
import { QueueTable } from "./queue-table.js";
import { ResultTable } from "./result-table.js";
import type { SpaceTime } from "./space-time.js";
import { Topic } from "./topic.js";
import type { HeldName } from "./worker-names.js";

/** All that the engines of one name share. */
export class MemorySpace {
  readonly time: SpaceTime;
  readonly queues: QueueTable;
  readonly results: ResultTable;
  readonly flows = new FlowTable();
  readonly control = new Topic<ControlCommand>();
  readonly workers = new Map<string, HeldName>();
  readonly #calendars = new Map<string, Calendar>();

  constructor(time: SpaceTime) {
    this.time = time;
    this.queues = new QueueTable(time);
    this.results = new ResultTable(time);
  }

  /** The recurring calls of an app. */
  calendarOf(app: string): Calendar {
    const calendar = this.#calendars.get(app) ?? new Calendar();
    this.#calendars.set(app, calendar);
    return calendar;
  }
}

const registry = Symbol.for("bullrush.memory");

/**
 * The space with this name, of this process, whichever copy of this package made it.
 * @param time of a new one
 */
export function spaceNamed(name: string, time: SpaceTime): MemorySpace {
  const holder = globalThis as { [registry]?: Map<string, MemorySpace> };
  const spaces = (holder[registry] ??= new Map());
  const space = spaces.get(name) ?? new MemorySpace(time);
  spaces.set(name, space);
  return space;
}

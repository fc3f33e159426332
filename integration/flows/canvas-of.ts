import { chain, chord, group, type App, type AsyncResult, type Canvas, type GroupResult, type Json, type TaskStub } from "@bullrush/client";
import type { Shape } from "./shape.js";

/** Any canvas that can be sent as it is. */
export interface Sendable extends Canvas<unknown, [before?: unknown]> {
  delay(): Promise<AsyncResult | GroupResult>;
  stamp(headers: Readonly<Record<string, Json>>): Sendable;
}

/** The canvas of a shape. Its needs are known at run time, not to the compiler. */
export function canvasOf(app: App, shape: Shape): Sendable {
  return buildOf(app, shape) as unknown as Sendable;
}

function buildOf(app: App, shape: Shape): unknown {
  const task = (name: string) => app.stub<TaskOf>(name);
  const build = (one: Shape) => canvasOf(app, one);
  switch (shape.type) {
    case "mix":
      return shape.immutable ? task("mix").si(...shape.args) : task("mix").s(...shape.args);
    case "swap":
      return shape.immutable ? task("swap").si(build(shape.by).toJSON()) : task("swap").s(build(shape.by).toJSON());
    case "chain":
      return chain(...shape.steps.map(build));
    case "group":
      return group(shape.members.map(build));
    case "chord":
      return chord(shape.header.map(build), build(shape.body), { onFailure: shape.onFailure });
    case "map":
      return task("mix").map(shape.items);
    case "starmap":
      return task("mix").starmap(shape.lists.map((list) => [...list]));
    case "chunks":
      return task("mix").chunks(
        shape.lists.map((list) => [...list]),
        shape.size,
      );
  }
}

type TaskOf = ((...args: unknown[]) => unknown) & TaskStub;

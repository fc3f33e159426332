import { chain, chord, group, type AnyCanvas, type App, type Canvas, type TaskStub } from "@bullrush/client";
import type { Shape } from "./shape.js";

/** The canvas of a shape, whose first step takes a value from before if it is given one. */
export function canvasOf(app: App, shape: Shape): Canvas<unknown, [before?: unknown]> {
  const task = (name: string) => app.stub<TaskOf>(name);
  const build = (one: Shape) => canvasOf(app, one);
  return untyped(() => {
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
        return task("mix").starmap(shape.lists);
      case "chunks":
        return task("mix").chunks(shape.lists, shape.size);
    }
  });
}

type TaskOf = ((...args: unknown[]) => unknown) & TaskStub;

/** What a shape needs is known when it is evaluated, not to the compiler. */
function untyped(build: () => AnyCanvas): Canvas<unknown, [before?: unknown]> {
  return build() as Canvas<unknown, [before?: unknown]>;
}

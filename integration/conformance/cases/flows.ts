import type { FlowJob, JobsOptions } from "bullmq";
import type { Case } from "../side.js";

const hour = 3_600_000;

const child = (name: string, opts: JobsOptions = {}, more: Partial<FlowJob> = {}): FlowJob => ({
  name,
  queueName: "q",
  data: name,
  ...more,
  opts: { jobId: `child-${name}`, ...opts },
});

/** A parent with these children. */
function flow(what: string, children: FlowJob[], opts: JobsOptions = {}, end?: Case["end"]): Case {
  return {
    what,
    produce: ({ flow: producer }) =>
      producer.add({ name: "ok", queueName: "q", data: "parent", opts: { jobId: "parent", ...opts }, children }),
    ...(end && { end }),
  };
}

export const flows: readonly Case[] = [
  flow("children", [child("ok"), child("nothing")]),
  flow("children of children", [child("ok", {}, { children: [child("nothing"), child("flaky", { attempts: 2 })] })]),
  flow("children in another queue", [child("ok", {}, { queueName: "other" })]),
  flow("children that are not kept", [child("ok", { removeOnComplete: true }), child("nothing", { removeOnComplete: true })]),
  flow("children that are tried again", [child("flaky", { attempts: 2, backoff: 30 })]),
  flow("a parent with a priority", [child("ok")], { priority: 3 }),
  flow("a parent with a delay", [child("ok")], { delay: 80 }),
  flow("a child that fails", [child("bad"), child("ok")], {}, { "waiting-children": 1 }),
  flow("failParentOnFailure", [child("bad", { failParentOnFailure: true }), child("ok")]),
  flow("failParentOnFailure, and a parent with attempts", [child("bad", { failParentOnFailure: true })], { attempts: 3, backoff: 20 }),
  flow("failParentOnFailure, and nothing kept", [child("bad", { failParentOnFailure: true, removeOnFail: true })], { removeOnFail: true }),
  flow("failParentOnFailure, up to the top", [
    child("ok", { failParentOnFailure: true }, { children: [child("bad", { failParentOnFailure: true }, { queueName: "other" })] }),
  ]),
  flow("ignoreDependencyOnFailure", [child("bad", { ignoreDependencyOnFailure: true }), child("ok")]),
  flow("removeDependencyOnFailure", [child("bad", { removeDependencyOnFailure: true }), child("ok")]),
  flow(
    "continueParentOnFailure",
    [child("bad", { continueParentOnFailure: true, attempts: 2 }), child("ok", { delay: hour })],
    {},
    { delayed: 1 },
  ),
  {
    what: "a child that is added while its parent runs",
    produce: ({ queue }) => queue.add("held", "parent", { jobId: "parent", attempts: 1 }),
    meanwhile: ({ queue }) => queue.add("ok", "child", { delay: hour, parent: { id: "parent", queue: queue.qualifiedName } }),
    end: { delayed: 1 },
  },
  {
    what: "a child that fails while its parent runs",
    produce: ({ queue }) => queue.add("held", "parent", { jobId: "parent", attempts: 2 }),
    meanwhile: async ({ queue, other }) => {
      const added = await other.add("bad", "child", { failParentOnFailure: true, parent: { id: "parent", queue: queue.qualifiedName } });
      while (!(await added.isFailed()));
    },
  },
];

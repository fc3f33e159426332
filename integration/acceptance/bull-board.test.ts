import { randomUUID } from "node:crypto";
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import type { AppControllerRoute, IServerAdapter } from "@bull-board/api/typings/app";
import { createApp } from "@bullrush/client";
import { Queue } from "bullmq";
import { expect, inject, test } from "vitest";

/** The part of a server adapter that is needed to ask Bull Board's own routes without a server. */
function routesOf(adapters: readonly BullMQAdapter[]): readonly AppControllerRoute[] {
  let routes: readonly AppControllerRoute[] = [];
  const server = new Proxy({} as IServerAdapter, {
    get: (_, property) =>
      property === "setApiRoutes"
        ? (given: readonly AppControllerRoute[]) => {
            routes = given;
            return server;
          }
        : () => server,
  });
  createBullBoard({ queues: [...adapters], serverAdapter: server });
  return routes;
}

test("Bull Board: lists the queues and their counts", async () => {
  const prefix = randomUUID();
  const app = createApp({ broker: inject("redisUrl"), prefix, queues: ["reports", "mails"] });
  await app.sendTask("report", [1], { queue: "reports" });
  await app.sendTask("report", [2], { queue: "reports" });
  await app.sendTask("report", [3], { queue: "reports", countdown: "1h" });
  await app.sendTask("mail", [], { queue: "mails", priority: 3 });

  const url = new URL(inject("redisUrl"));
  const connection = { host: url.hostname, port: Number(url.port) };
  const queues = ["reports", "mails"].map((name) => new Queue(name, { connection, prefix }));
  const adapters = queues.map((queue) => new BullMQAdapter(queue));
  const list = routesOf(adapters).find(({ route }) => [route].flat().includes("/api/queues"));
  const boards = new Map(adapters.map((adapter) => [adapter.getName(), adapter]));
  if (list === undefined) throw new Error("Bull Board has no route for queues");
  const answer = await list.handler({ queues: boards, query: {}, params: {}, body: {}, headers: {} } as never);
  const { queues: listed } = answer.body as {
    readonly queues: readonly { readonly name: string; readonly counts: Record<string, number> }[];
  };

  expect(listed.map(({ name }) => name)).toEqual(["reports", "mails"]);
  expect(listed[0]?.counts).toMatchObject({ waiting: 2, delayed: 1, active: 0 });
  expect(listed[1]?.counts).toMatchObject({ prioritized: 1 });
  await Promise.all([...queues.map((queue) => queue.close()), app.close()]);
});

// POST /tasks {"rows": 10}   202 and the id of the task that makes the report
// GET /tasks/{id}            its state, and its progress, result or error
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { BullrushError } from "bullrush";
import { app, report } from "./tasks.js";

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const [, collection, id] = (request.url ?? "").split("/");
  if (collection !== "tasks") return { status: 404, body: { error: "there is only /tasks" } };
  if (request.method === "POST" && id === undefined) return create((await json(request)) as { readonly rows?: unknown });
  if (request.method === "GET" && id !== undefined) return show(id);
  return { status: 405, body: { error: "POST /tasks, or GET /tasks/{id}" } };
}

async function create({ rows }: { readonly rows?: unknown }): Promise<Answer> {
  if (typeof rows !== "number") return { status: 400, body: { error: "rows has to be a number" } };
  const { id } = await report.delay(rows);
  return { status: 202, body: { id, url: `/tasks/${id}` } };
}

async function show(id: string): Promise<Answer> {
  const task = app.asyncResult(id);
  const state = await task.status();
  if (state === "UNKNOWN") return { status: 404, body: { id, state } };
  const info = await task.info();
  return { status: 200, body: { id, state, ...(info instanceof Error ? { error: info.message } : { info }) } };
}

/** An error of the caller is a 400; a broker that cannot be reached is a 503. */
function refusal(error: unknown): Answer {
  if (error instanceof SyntaxError) return { status: 400, body: { error: "the body is not JSON" } };
  if (!(error instanceof BullrushError)) throw error;
  const mendable = ["INVALID_TASK_ID", "ENCODE_ERROR", "PAYLOAD_TOO_LARGE"].includes(error.code);
  return { status: mendable ? 400 : 503, body: { error: error.message, code: error.code } };
}

const server = createServer((request, response) => {
  void answer(request)
    .catch(refusal)
    .catch((error: unknown): Answer => {
      console.error(error);
      return { status: 500, body: { error: "internal error" } };
    })
    .then(({ status, body }) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)));
});

server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`ready on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

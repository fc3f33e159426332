import type { Contender } from "./contender.js";
import { program } from "./program.js";
import { python } from "./python.js";

/** RQ, whose worker forks a process for each task. */
export function rq(): Contender {
  return program({
    id: "rq",
    name: "RQ",
    share: 0.02,
    version: [python, "-c", "import rq; print(rq.__version__)"],
    install: "apt install python3-rq",
    client: [python, "rq_bench.py"],
    worker: [python, "rq_bench.py", "worker"],
    waitingKey: "rq:queue:bench",
    done: (redis) => redis.zcard("rq:finished:bench"),
  });
}

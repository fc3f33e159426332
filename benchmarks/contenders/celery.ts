import type { Contender } from "./contender.js";
import { countResults, program } from "./program.js";
import { python } from "./python.js";

/**
 * Celery with one of its pools: `solo` runs tasks in the worker itself, `prefork` in two processes.
 */
export function celery(pool: "solo" | "prefork"): Contender {
  const common = ["-m", "celery", "-A", "celery_bench", "worker", "--loglevel", "WARNING"];
  const options = pool === "solo" ? ["--pool", "solo"] : ["--pool", "prefork", "--concurrency", "2"];
  return program({
    id: `celery-${pool}`,
    name: pool === "solo" ? "Celery, solo" : "Celery, prefork 2",
    share: 0.1,
    version: [python, "-c", "import celery, redis; print(celery.__version__)"],
    install: "apt install python3-celery python3-redis",
    client: [python, "celery_bench.py"],
    worker: [python, ...common, ...options],
    waitingKey: "celery",
    done: countResults,
  });
}

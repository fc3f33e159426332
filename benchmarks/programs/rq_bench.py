"""RQ's tasks, and, as a program, its client or, with `worker`, its worker."""

import os
import sys
import time

from redis import Redis
from rq import Queue, Worker
from rq.job import Job

connection = Redis.from_url(os.environ["BENCH_REDIS"])
queue = Queue("bench", connection=connection)


def echo(number):
    return number


def clock(number):
    return time.monotonic_ns() / 1e6


def enqueue(body, number):
    return queue.enqueue(f"rq_bench.{body}", number, result_ttl=86400)


def send(body, first, last):
    return [{"number": number, "id": enqueue(body, number).id} for number in range(first, last)][-100:]


def send_bulk(body, first, last):
    numbers = range(first, last)
    jobs = queue.enqueue_many([Queue.prepare_data(f"rq_bench.{body}", (number,), result_ttl=86400) for number in numbers])
    return [{"number": number, "id": job.id} for number, job in zip(numbers, jobs)][-100:]


def ask(body, number):
    """RQ cannot wait for a result, so this looks every 2 ms."""
    job = enqueue(body, number)
    while job.get_status() != "finished":
        time.sleep(0.002)
    return job.result


def results(ids):
    return [job.result for job in Job.fetch_many(ids, connection=connection)]


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        print("takes tasks", file=sys.stderr)
        Worker([queue], connection=connection).work(logging_level="WARNING")
    else:
        from requests_by_line import serve

        serve(send=send, send_bulk=send_bulk, ask=ask, results=results)

"""Celery's tasks, and, as a program, its client."""

import os
import sys
import time

from celery import Celery
from celery.signals import worker_ready

url = os.environ["BENCH_REDIS"]
app = Celery("celery_bench", broker=f"{url}/0", backend=f"{url}/1")


@worker_ready.connect
def say_so(**_):
    print("takes tasks", file=sys.stderr)


@app.task(name="echo")
def echo(number):
    return number


@app.task(name="clock")
def clock(number):
    return time.monotonic_ns() / 1e6


def send(body, first, last):
    task = app.tasks[body]
    return [{"number": number, "id": task.delay(number).id} for number in range(first, last)][-100:]


def ask(body, number):
    return app.tasks[body].delay(number).get()


def results(ids):
    return [app.AsyncResult(id).get(timeout=5) for id in ids]


if __name__ == "__main__":
    from requests_by_line import serve

    serve(send=send, send_bulk=send, ask=ask, results=results)

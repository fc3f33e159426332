"""Answers requests that come as lines of JSON on stdin, each with one line on stdout."""

import json
import sys


def serve(**calls):
    for line in sys.stdin:
        request = json.loads(line)
        answer = calls[request.pop("call")](**request)
        print(json.dumps(answer), flush=True)

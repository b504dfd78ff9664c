"""What a campaign remembers of a run: every operation with its times and its
outcome, what was seen while it ran, and the faults. Times are seconds of one
process's monotonic clock, so that they can be compared.

A history is a plain structure that JSON holds, see `load` and `save`; the
checker needs nothing else.
"""

import itertools
import json
import threading
import time

# What became of an operation. "unknown": nobody ever said.
OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"


class History:
    """Records from several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self.operations = []
        self.observations = []
        self.faults = []

    def begin(self, client, service, method, request_id, asked):
        """A new operation, about to be sent for the first time. `asked` is what
        the checker has to know of the request."""
        operation = {"number": next(self._numbers), "client": client, "service": service,
                     "method": method, "request_id": request_id, "asked": asked,
                     "invoke": time.monotonic(), "reply": None, "attempts": 0,
                     "outcome": UNKNOWN, "code": None, "reasons": [], "doubts": [], "said": {}}
        with self._lock:
            self.operations.append(operation)
        return operation

    @staticmethod
    def end(operation, outcome, code=None, reasons=(), said=None):
        operation["reply"] = time.monotonic()
        operation["code"], operation["reasons"] = code, list(reasons)
        operation["said"] = said or {}
        # Last: who sees an outcome sees all of it.
        operation["outcome"] = outcome

    def observe(self, what, service, invoke, seen):
        """Something that was read while the system was under fire."""
        with self._lock:
            self.observations.append({"what": what, "service": service, "invoke": invoke,
                                      "reply": time.monotonic(), "seen": seen})

    def fault(self, fault):
        with self._lock:
            self.faults.append(fault)

    def plain(self):
        with self._lock:
            return {"operations": [dict(one) for one in self.operations],
                    "observations": list(self.observations), "faults": list(self.faults)}


def save(path, history, state):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"history": history, "state": state}, file, indent=1, ensure_ascii=False)


def load(path):
    """(history, state)."""
    with open(path, encoding="utf-8") as file:
        kept = json.load(file)
    return kept["history"], kept["state"]

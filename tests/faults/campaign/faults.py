"""What is done to a system while people use it. A plan comes from the seed alone;
`Fire` carries one fault of it out, ends it, and counts what it did.
"""

import contextlib
import os
import random
import resource
import signal
import subprocess
import time

from system import SERVICES, DidNotStart, children_of

# Moments at which a service ends itself (tests/faults/crashing_sessions.cc): of
# the transaction with such a statement, or before it is sent.
POINTS = [
    ("enrolment", "before_commit", "INSERT INTO application "),
    ("enrolment", "after_commit", "INSERT INTO application "),
    ("enrolment", "after_commit", "UPDATE application "),
    ("enrolment", "before_commit", "INSERT INTO agreement "),
    ("enrolment", "after_commit", "INSERT INTO enrolment "),
    # The bytes are on disk, and no row says so.
    ("enrolment", "before_statement", "UPDATE upload "),
    ("enrolment", "after_commit", "UPDATE upload "),
    # Rows are there and have no place in the feed yet; and just have it.
    ("enrolment", "before_commit", "UPDATE change_feed "),
    ("enrolment", "after_commit", "UPDATE change_feed "),
    ("scheduling", "before_commit", "INSERT INTO attendance_entry "),
    ("scheduling", "after_commit", "INSERT INTO attendance_entry "),
    ("scheduling", "after_commit", "UPDATE enrolment_position "),
    ("scheduling", "before_commit", "UPDATE enrolment_position "),
    ("evaluation", "before_commit", "INSERT INTO decision "),
    ("evaluation", "after_commit", "INSERT INTO decision "),
    ("evaluation", "after_commit", "UPDATE decision "),
    ("evaluation", "after_commit", "UPDATE roster_position "),
    ("evaluation", "after_commit", "UPDATE change_feed "),
]

# Bytes after which a connection is cut, by the kind of its link.
_CUT_AFTER = {"client": (200, 20_000), "peer": (500, 20_000), "redis": (50, 2_000),
              "postgresql": (500, 60_000)}
# Seconds by which the clock is wrong for a while. Not an hour ahead and back: gRPC
# 1.51 waits by the clock of the day, and would keep no deadline for that hour
# (docs/faults.md).
_JUMPS = (-3600, -90, -5, 3)
# Longest wait for a service to reach the point at which it ends itself.
_POINT_PATIENCE = 5.0

BOTH = ("kill service", "end service at a point", "pause service", "kill redis",
        "pause redis", "cut client", "cut peer", "cut redis", "slow client", "slow peer",
        "slow redis", "full disk", "clock jump")
_POSTGRESQL = ("kill postgresql", "pause postgresql", "cut postgresql", "slow postgresql")
REPLICATED = BOTH + _POSTGRESQL


def plan(seed, replicated, count, only=None):
    """The faults of a run: one of the kind whose turn it is, so that consecutive
    seeds cover all kinds on both systems, and where there is PostgreSQL one of it."""
    chance = random.Random(f"faults {seed}")
    kinds = REPLICATED if replicated else BOTH
    chosen = [kinds[(seed // 2) % len(kinds)]]
    if replicated and chosen[0] not in _POSTGRESQL:
        chosen.append(_POSTGRESQL[(seed // 2) % len(_POSTGRESQL)])
    chosen += chance.sample([kind for kind in kinds if kind not in chosen], count - len(chosen))
    chance.shuffle(chosen)
    if only is not None:
        chosen = [only] * count
    return [_draw(chance, kind, replicated) for kind in chosen]


def _draw(chance, kind, replicated):
    """One fault, every choice made."""
    service = chance.choice(SERVICES)
    fault = {"kind": kind, "gap": round(chance.uniform(0.3, 1.2), 2),
             "hold": round(chance.choice((0.3, 1.0, 2.0)) * chance.uniform(0.8, 1.2), 2),
             "service": service, "replica": chance.randrange(2) if replicated else 0}
    # As often briefly as longer than a lease and a client's patience.
    if kind.startswith("pause"):
        fault["hold"] = round(chance.choice((0.5, 2.0, 4.5)) * chance.uniform(0.8, 1.2), 2)
    if kind.startswith(("cut", "slow", "full", "clock")):
        fault["hold"] = round(chance.uniform(1.5, 3.0), 2)
    if kind == "end service at a point":
        fault["service"], moment, text = chance.choice(POINTS)
        fault["point"] = f"{moment}:{text}:{chance.randint(1, 6)}"
    if kind.startswith("slow"):
        fault["seconds"] = round(chance.choice((0.02, 0.08, 0.2)), 2)
    if kind == "clock jump":
        fault["jump"] = chance.choice(_JUMPS)
        # And somebody dies while the clock is wrong.
        fault["kills"] = chance.random() < 0.5
    return fault


def name_of(fault):
    """Short, for the line of the run."""
    kind, where = fault["kind"], f"{fault['service']}/{fault['replica']}"
    if kind == "end service at a point":
        moment, text, count = fault["point"].split(":")
        return f"end {where} {moment.replace('_', ' ')} of {text.strip()} no. {count}"
    if kind == "clock jump":
        return f"clock {fault['jump']:+d} s" + (f" and kill {where}" if fault["kills"] else "")
    if kind.endswith("service"):
        return f"{kind.split()[0]} {where}"
    if kind.startswith("cut client") or kind.startswith("slow client"):
        return f"{kind}>{fault['service']}"
    return kind


class Fire:
    """Sets faults to a system, one after the other, and tells what they did."""

    def __init__(self, system, history, say):
        self.system, self.history, self.say = system, history, say

    def set(self, fault):
        """Carries a fault out from begin to end; records it, with the seconds
        until all were healthy again."""
        time.sleep(fault["gap"])
        kind, name = fault["kind"], name_of(fault)
        verb, _, what = kind.partition(" ")
        begin, before = time.monotonic(), self.system.proxies.tell("count")
        under_way = sum(one["outcome"] == "unknown" for one in self.history.operations)
        act = {"kill service": self._kill_service, "end service at a point": self._end_at_point,
               "pause service": self._pause_service, "kill redis": self._kill_redis,
               "pause redis": self._pause_redis, "kill postgresql": self._kill_postgresql,
               "pause postgresql": self._pause_postgresql, "full disk": self._fill_disk,
               "clock jump": self._jump}.get(kind)
        done = act(fault) if act is not None else self._disturb(verb, what, fault)
        end = done.pop("end", None) or time.monotonic()
        healthy = self._await_health(end)
        after = self.system.proxies.tell("count")
        for figure in ("cut", "delayed"):
            done[figure] = sum(after[link][figure] - before[link][figure] for link in after)
        self.history.fault({"kind": kind, "name": name, "begin": begin, "end": end,
                            "under_way": under_way, "seconds_to_health": healthy,
                            "done": {key: value for key, value in done.items() if value}})

    def _await_health(self, end, patience=60.0):
        """Seconds from the end of a fault until every process said that it
        serves; nothing when that did not come."""
        waiting = self.system.all_replicas()
        while waiting:
            if time.monotonic() - end > patience:
                return None
            for replica in waiting:
                self._revive(replica)
            waiting = [one for one in waiting if not one.is_healthy()]
            time.sleep(0.02)
        return time.monotonic() - end

    def _revive(self, replica):
        """What ended though nobody ended it is started again, and told of."""
        code = replica.process.poll()
        if code is None:
            return
        self.history.observe("end", replica.service, time.monotonic(),
                             {"name": replica.name, "code": code})
        replica.start()

    def _replica(self, fault):
        return self.system.replicas[fault["service"]][fault["replica"]]

    def _kill_service(self, fault):
        replica = self._replica(fault)
        replica.kill()
        time.sleep(fault["hold"])
        end = time.monotonic()
        replica.start()
        return {"end": end, "signals": 1}

    def _end_at_point(self, fault):
        """Started anew as the program that ends itself; started again when it has.
        Where the point does not come in time, it is killed."""
        replica = self._replica(fault)
        marker = self.system.folder / "run" / f"point-{time.monotonic_ns()}"
        replica.kill()
        replica.start(PARCOURS_TEST_CRASH_AT=fault["point"],
                      PARCOURS_TEST_CRASH_MARKER=str(marker))
        with contextlib.suppress(subprocess.TimeoutExpired):
            replica.process.wait(timeout=_POINT_PATIENCE)
        reached = marker.exists()
        replica.kill()
        end = time.monotonic()
        replica.start()
        return {"end": end, "signals": 2, "points": int(reached),
                "points_missed": int(not reached)}

    def _pause_service(self, fault):
        replica = self._replica(fault)
        replica.signal(signal.SIGSTOP)
        time.sleep(fault["hold"])
        replica.signal(signal.SIGCONT)
        return {"signals": 2}

    def _kill_redis(self, fault):
        self.system.redis.kill()
        time.sleep(fault["hold"])
        self.system.redis.start()
        return {"signals": 1}

    def _pause_redis(self, fault):
        process = self.system.redis.process
        process.send_signal(signal.SIGSTOP)
        time.sleep(fault["hold"])
        process.send_signal(signal.SIGCONT)
        return {"signals": 2}

    def _kill_postgresql(self, fault):
        killed = self.system.postgresql.kill()
        time.sleep(fault["hold"])
        self.system.postgresql.start()
        return {"signals": killed}

    def _pause_postgresql(self, fault):
        server, *_ = self.system.postgresql.processes()
        # The server first, so that it makes no children whom nobody stops.
        os.kill(server, signal.SIGSTOP)
        stopped = [server]
        for child in children_of(server):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP)
                stopped.append(child)
        time.sleep(fault["hold"])
        for process in reversed(stopped):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
        return {"signals": 2 * len(stopped)}

    def _links(self, what, fault):
        """All wires of a kind; of clients, those to one service."""
        prefix = f"client:{fault['service']}/" if what == "client" else f"{what}:"
        return [link for link in self.system.proxies.tell("count") if link.startswith(prefix)]

    def _disturb(self, verb, what, fault):
        links, tell = self._links(what, fault), self.system.proxies.tell
        if verb == "cut":
            tell("cut", links=links, bytes=_CUT_AFTER[what])
        else:
            tell("slow", links=links, seconds=fault["seconds"], bytes=4096)
        time.sleep(fault["hold"])
        tell("clear", links=links)
        return {}

    def _fill_disk(self, fault):
        if not self.system.has_small_disk:
            return self._limit_sizes(fault)
        filler = self.system.folder / "data/filler"
        limit, filled = time.monotonic() + fault["hold"], 0
        with open(filler, "ab", buffering=0) as file:
            while time.monotonic() < limit:
                # What others give back meanwhile is taken as well.
                for piece in (1 << 20, 4096, 1):
                    with contextlib.suppress(OSError):
                        while True:
                            filled += file.write(b"\0" * piece)
                time.sleep(0.01)
        filler.unlink()
        end = time.monotonic()
        if self.system.postgresql is not None:
            self._see_to_postgresql()
        return {"end": end, "bytes_filled": filled}

    def _see_to_postgresql(self):
        """Which ends itself when it cannot recover for want of space."""
        for _ in range(40):
            if not self.system.postgresql.processes():
                with contextlib.suppress(DidNotStart):
                    self.system.postgresql.start()
                    return
            time.sleep(0.05)

    def _limit_sizes(self, fault):
        """Where no disk may be mounted: no file of theirs may grow."""
        self.say("NO SMALL DISK: a mount is not permitted here; instead, no file may grow "
                 "(RLIMIT_FSIZE)")
        processes = [one.process.pid for one in self.system.all_replicas()]
        if self.system.postgresql is not None:
            processes += self.system.postgresql.processes()
        # More than an upload, which is looked into in memory as a file of this size.
        limited = [one for one in processes if self._limit(one, 400_000)]
        time.sleep(fault["hold"])
        for process in limited:
            self._limit(process, resource.RLIM_INFINITY)
        end = time.monotonic()
        if self.system.postgresql is not None:
            self._see_to_postgresql()
        return {"end": end, "limited": len(limited)}

    def _limit(self, process, size):
        try:
            resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        except ProcessLookupError:
            return False
        except PermissionError:
            self.say(f"NO LIMIT on process {process}: it is another user's")
            return False
        return True

    def _jump(self, fault):
        self.system.set_clock(fault["jump"])
        time.sleep(fault["hold"])
        replica = self._replica(fault)
        if fault["kills"]:
            replica.kill()
        self.system.set_clock(0)
        if fault["kills"]:
            replica.start()
        # The services look at the file once a second.
        time.sleep(1.1)
        return {"jumps": 2, "signals": int(fault["kills"])}

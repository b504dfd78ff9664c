"""Whole systems under fire, seed after seed: a mixed load, faults, and a checker
that reads what is left. See docs/faults.md.

    campaign.py BUILD [--seed N] [--runs N] [--seeds N,N] [--short] [--keep FOLDER]
                      [--only KIND]

Prints a line for each run and a table at the end; exits with 1 when a run broke a
promise, keeps its folder and says how to run it again.
"""

import argparse
import collections
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import checker
import faults
import stage
from client import Client, Contracts
from history import OK, History, save
from load import Load
from state import read_state
from system import ROOT, Ground, System, own_mounts

# MB of the small disk: enough for the whole run, and filled in a moment.
_SMALL_DISK = {False: 64, True: 320}


class Sizes:
    """Of a run: how much there is and how long it takes."""

    def __init__(self, short):
        self.faults = 3 if short else 5
        # Seconds of load at least.
        self.load = 6.0 if short else 11.0
        self.class_size, self.jury_size, self.capacity = (6, 4, 8) if short else (10, 8, 12)
        # Longest wait, after the faults, until the last client knows.
        self.patience = 60.0


class Run:
    """One seed."""

    def __init__(self, ground, contracts, seed, folder, sizes, only):
        self.seed, self.sizes, self.folder = seed, sizes, folder
        # Both systems by turns.
        self.replicated = seed % 2 == 0
        self.plan = faults.plan(seed, self.replicated, sizes.faults, only)
        self.history, self.state = History(), None
        self.problems = []
        self.notes = []
        self.seconds_until_known = 0.0
        self._contracts = contracts
        kinds = {fault["kind"] for fault in self.plan}
        jumping = "clock jump" in kinds
        if jumping and not ground.has_faketime:
            raise SystemExit("clock jumps need Debian's package faketime: make deps")
        self._ground, self._jumping = ground, jumping
        self._small_disk = _SMALL_DISK[self.replicated] if "full disk" in kinds else None
        self.system = None

    def _new_client(self, name):
        return Client(name, self._contracts, self.system, self.history, self.seed)

    def live(self):
        """Sets the stage, lets the load and the faults run, and reads what is left."""
        self.system = System(self._ground, self.folder, self.seed, self.replicated,
                             small_disk=self._small_disk, jumping=self._jumping)
        members = stage.set_stage(self.system, self.folder, self._new_client,
                                  self.sizes.class_size, self.sizes.jury_size,
                                  self.sizes.capacity)
        load = Load(self.system, self.history, self._new_client, self.seed, members)
        begin = time.monotonic()
        load.start()
        try:
            fire = faults.Fire(self.system, self.history, self.notes.append)
            for fault in self.plan:
                fire.set(fault)
            time.sleep(max(1.0, self.sizes.load - (time.monotonic() - begin)))
        finally:
            ended = time.monotonic()
            load.finish(self.sizes.patience)
        self.seconds_until_known = time.monotonic() - ended
        self.problems += load.crashed
        reader = self._new_client("checker")
        reader.limit = time.monotonic() + self.sizes.patience
        self.state = read_state(reader, self.system, members)
        reader.close()

    def violations(self):
        found = checker.violations(self.history.plain(), self.state)
        return found + [checker.Violation("campaign", text) for text in self.problems]

    def figures(self):
        operations = self.history.operations
        doubts = collections.Counter(doubt for one in operations for doubt in one["doubts"])
        done = collections.Counter()
        for fault in self.history.faults:
            done.update(fault["done"])
        offers = sum(one["method"] in ("AcceptOffer", "DeclineOffer") and one["outcome"] == OK
                     for one in operations)
        healthy = [fault["seconds_to_health"] for fault in self.history.faults]
        return {"operations": len(operations),
                "acknowledged": sum(one["outcome"] == OK for one in operations),
                "sent again": sum(one["attempts"] > 1 for one in operations),
                "in doubt": doubts["COMMIT_IN_DOUBT"],
                "under way": sum(fault["under_way"] for fault in self.history.faults),
                "offers answered": offers, "doubts": doubts, "done": done,
                "seconds to health": None if None in healthy else max(healthy, default=0.0)}


def _line(run, figures, violations, seconds):
    healthy = figures["seconds to health"]
    return (f"seed {run.seed}, {'replicated' if run.replicated else 'single'}: "
            f"{'; '.join(faults.name_of(fault) for fault in run.plan)} | "
            f"{figures['operations']} operations, {figures['acknowledged']} acknowledged, "
            f"{figures['sent again']} sent again | {len(violations)} violations | healthy after "
            f"{'never' if healthy is None else f'{healthy:.1f} s'} | {seconds:.0f} s")


def _keep(run, folder, kept):
    """Copies the folder, since its disk may end with this process."""
    if run.state is not None:
        save(folder / "run.json", run.history.plain(), run.state)
    target = kept / f"seed-{run.seed}"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target, symlinks=True, ignore=lambda where, names: [
        name for name in names if (pathlib.Path(where) / name).is_socket()])
    return target


def _table(runs):
    """By kind of fault: how often, what it did, what came of it."""
    kinds = collections.defaultdict(lambda: collections.Counter())
    slowest = collections.defaultdict(float)
    for run, violations in runs:
        for fault in run.history.faults:
            row = kinds[fault["kind"]]
            row["times"] += 1
            row["under way"] += fault["under_way"]
            row.update(fault["done"])
            row["violations"] += bool(violations)
            slowest[fault["kind"]] = max(slowest[fault["kind"]],
                                         fault["seconds_to_health"] or float("inf"))
    print(f"\n{'fault':24} {'times':>5} {'under way':>9} {'to health':>9}  what was done")
    for kind in faults.REPLICATED:
        row = kinds.get(kind)
        if row is None:
            continue
        done = ", ".join(f"{figure.replace('_', ' ')} {row[figure]}" for figure in sorted(row)
                         if figure not in ("times", "under way", "violations"))
        print(f"{kind:24} {row['times']:5} {row['under way']:9} {slowest[kind]:7.1f} s  {done}")


def _summary(runs):
    _table(runs)
    figures = [run.figures() for run, _ in runs]
    doubts = sum((one["doubts"] for one in figures), collections.Counter())
    total = {name: sum(one[name] for one in figures)
             for name in ("operations", "acknowledged", "sent again", "in doubt",
                          "offers answered")}
    names = collections.Counter(one.name for _, violations in runs for one in violations)
    print(f"\n{len(runs)} runs: " + ", ".join(f"{value} {name}" for name, value in total.items()))
    print("answers that said nothing certain: " +
          ", ".join(f"{doubt} {count}" for doubt, count in doubts.most_common()))
    print("violations: " + (", ".join(f"{name} {count}" for name, count in names.items())
                            or "none"))


def _again(seed, arguments):
    """The command that does the same."""
    if not arguments.short and arguments.only is None:
        return f"SEED={seed} RUNS=1 make fire"
    return (f"/usr/bin/python3 -B tests/faults/campaign/campaign.py {arguments.build} "
            f"--seed {seed}" + (" --short" if arguments.short else "") +
            (f" --only '{arguments.only}'" if arguments.only else ""))


def _one(ground, contracts, seed, arguments):
    begin = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fire.", dir="/tmp"))
    folder.chmod(0o755)
    run = Run(ground, contracts, seed, folder, Sizes(arguments.short), arguments.only)
    try:
        try:
            run.live()
            violations = run.violations()
        finally:
            if run.system is not None:
                run.system.stop()
    # A run that cannot be judged is no good run.
    # pylint: disable-next=broad-except
    except Exception as error:  # noqa: BLE001
        violations = [checker.Violation("campaign", repr(error))]
    for note in run.notes:
        print(note)
    print(_line(run, run.figures(), violations, time.monotonic() - begin), flush=True)
    if violations or arguments.keep_all:
        kept = _keep(run, folder, arguments.keep)
        for violation in violations[:20]:
            print(f"    {violation.name}: {violation.text}")
        print(f"    kept in {kept}; again: {_again(seed, arguments)}", flush=True)
    if run.system is not None:
        run.system.release_disk()
    shutil.rmtree(folder)
    return run, violations


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seeds", type=lambda text: [int(one) for one in text.split(",")])
    parser.add_argument("--short", action="store_true", help="smaller runs, for ctest")
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "var/fire")
    parser.add_argument("--keep_all", action="store_true", help="keep good runs as well")
    parser.add_argument("--only", choices=faults.REPLICATED, help="nothing but this fault")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    seeds = arguments.seeds or range(arguments.seed, arguments.seed + arguments.runs)
    # What is stopped tidies up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    if not own_mounts():
        print("NO MOUNTS: full disks are limits on the sizes of files (RLIMIT_FSIZE)")
    contracts, runs = Contracts(), []
    with tempfile.TemporaryDirectory(prefix="fire-ground.", dir="/tmp") as folder:
        pathlib.Path(folder).chmod(0o755)
        ground = Ground(arguments.build, pathlib.Path(folder))
        for seed in seeds:
            runs.append(_one(ground, contracts, seed, arguments))
    _summary(runs)
    return 1 if any(violations for _, violations in runs) else 0


if __name__ == "__main__":
    sys.exit(main())

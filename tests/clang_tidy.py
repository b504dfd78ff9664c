"""Runs clang-tidy on the project's own C++ files.

A file found clean is not read again until its content, a header of ours or of
the generated code that it includes, its command line or .clang-tidy changes.
The compilation database is a build's: by default the asan preset's, because
`make test` has just built it and with it the generated headers.

usage: clang_tidy.py [--preset NAME] [--jobs N] [FILE ...]
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OWN = ("common/", "services/", "clients/", "tests/")
CLANG_TIDY = "clang-tidy-14"


def prepare(build, preset):
    """Configures the build and generates the headers clang-tidy will read."""
    if not (build / "compile_commands.json").exists():
        subprocess.run(["cmake", "--preset", preset, "--log-level=WARNING"], cwd=ROOT, check=True)
    subprocess.run(["cmake", "--build", build, "--target", "parcours_grpc", "parcours_status"],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def own_files(build, wanted):
    """Yields (path relative to the root, command) of our files in the database."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
        # Tests are left to the compiler's warnings: reading them takes a third of
        # the time, and what they do wrong fails.
        is_test = path.endswith("_test.cc") or path.startswith("tests/")
        if path in wanted if wanted else path.startswith(OWN) and not is_test:
            yield path, entry["command"]


class Contents:
    """Digests of files and of all the files of this tree that they include."""

    INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)

    def __init__(self, build):
        self.search = (ROOT, build / "generated")
        self.read = {}

    def _read(self, path):
        if path not in self.read:
            data = path.read_bytes()
            includes = [found for name in self.INCLUDE.findall(data)
                        for directory in self.search
                        if (found := directory / name.decode()).exists()]
            self.read[path] = (hashlib.sha256(data).digest(), includes)
        return self.read[path]

    def digest(self, path, *more):
        reached, waiting = set(), [path]
        while waiting:
            current = waiting.pop()
            if current not in reached:
                reached.add(current)
                waiting.extend(self._read(current)[1])
        total = hashlib.sha256()
        for text in more:
            total.update(text.encode() + b"\0")
        for current in sorted(reached):
            total.update(str(current).encode() + b"\0" + self._read(current)[0])
        return total.hexdigest()


def check(path, build):
    # Options of GCC that clang does not know are no business of this check.
    return subprocess.run(
        [CLANG_TIDY, "--quiet", "-p", str(build), "--extra-arg=-Wno-unknown-warning-option",
         "--extra-arg=-Wno-ignored-optimization-argument", path],
        cwd=ROOT, capture_output=True, text=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="asan")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    build = ROOT / "build" / arguments.preset
    prepare(build, arguments.preset)

    cache = ROOT / "build" / "clang-tidy"
    cache.mkdir(parents=True, exist_ok=True)
    contents = Contents(build)
    options = (ROOT / ".clang-tidy").read_text()
    waiting, clean = {}, 0
    for path, command in own_files(build, set(arguments.files)):
        # The launcher and the output are not part of what is checked.
        flags = " ".join(word for word in shlex.split(command) if word.startswith("-"))
        mark = cache / contents.digest(ROOT / path, options, flags)
        if mark.exists():
            clean += 1
        else:
            waiting[path] = mark

    bad = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(check, path, build): path for path in waiting}
        for done in concurrent.futures.as_completed(running):
            path, result = running[done], done.result()
            if result.returncode == 0:
                waiting[path].touch()
            else:
                bad.append(path)
                print(result.stdout + ("" if result.stdout else result.stderr), flush=True)
    print(f"clang-tidy: {len(waiting)} files checked, {clean} unchanged, {len(bad)} with findings")
    for path in sorted(bad):
        print(f"  {path}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

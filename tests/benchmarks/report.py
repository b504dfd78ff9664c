#!/usr/bin/env python3
"""Merges the rows of the measurements, prints them, and keeps them.

    report.py ROWS_FOLDER --json var/bench.json      after the measurements
    report.py --markdown var/bench.json              the table of a document

The form of a row stands in README.md.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

KEYS = {"group", "name", "value", "unit", "reference_name", "reference",
        "ratio", "ratio_range", "aim", "note"}
ORDER = ["read", "submit", "rush", "growth", "parts"]
AIM = re.compile(r"(>=|<=)\s*([0-9.]+)")


def output_of(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "kernel": platform.release(),
        "compiler": output_of(["c++", "--version"]).split("\n")[0],
        "postgresql": output_of(["psql", "--version"]),
        "commit": output_of(["git", "describe", "--always", "--dirty"]),
        "time": datetime.datetime.now(datetime.timezone.utc)
                .isoformat(timespec="seconds"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def completed(row, source):
    """The row with its ratio and whether it meets its aim."""
    unknown = set(row) - KEYS
    missing = {"group", "name", "value", "unit"} - set(row)
    if unknown or missing:
        sys.exit(f"{source}: a row lacks {sorted(missing)}, or has "
                 f"{sorted(unknown)}: {row}")
    row = {key: row.get(key) for key in
           ("group", "name", "value", "unit", "reference_name", "reference",
            "ratio", "ratio_range", "aim", "note")}
    if row["ratio"] is None and row["reference"]:
        row["ratio"] = row["value"] / row["reference"]
    row["met"] = None
    if row["aim"]:
        aim = AIM.fullmatch(row["aim"])
        if not aim:
            sys.exit(f"{source}: an aim is '>= 0.8' or '<= 3': {row['aim']}")
        figure = row["value"] if row["ratio"] is None else row["ratio"]
        limit = float(aim[2])
        row["met"] = figure >= limit if aim[1] == ">=" else figure <= limit
    return row


def kept_rows(path, measured):
    """What an earlier run has kept of groups that this one did not measure."""
    if not path.exists():
        return []
    return [row for row in json.loads(path.read_text())["rows"]
            if row["group"] not in measured]


def read_rows(folder):
    rows = []
    # In the order in which they were written.
    files = sorted(pathlib.Path(folder).glob("*.json"),
                   key=lambda file: file.stat().st_mtime_ns)
    for file in files:
        for row in json.loads(file.read_text()):
            rows.append(completed(row, file.name))
    if not rows:
        sys.exit(f"report: no rows in {folder}")
    return rows


def figure(value):
    if value is None:
        return ""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def cells(row):
    reference = figure(row["reference"])
    if row["reference_name"]:
        reference = f"{row['reference_name']} {reference}".strip()
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    if row["ratio_range"]:
        low, high = row["ratio_range"]
        ratio += f" ({low:.2f}–{high:.2f})"
    met = {None: "", True: "yes", False: "NO"}[row["met"]]
    return [row["name"], figure(row["value"]), row["unit"], reference, ratio,
            row["aim"] or "", met]


HEAD = ["what", "value", "unit", "reference", "ratio", "aim", "met"]


def print_table(rows):
    lines = [HEAD] + [cells(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    right = {1, 4}

    def printed(line):
        return "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths))).rstrip()

    print(printed(HEAD))
    group = None
    for row, line in zip(rows, lines[1:]):
        if row["group"] != group:
            group = row["group"]
            print(f"-- {group}")
        print(printed(line))
    notes = [row for row in rows if row["note"]]
    if notes:
        print()
        for row in notes:
            print(f"   {row['name']}: {row['note']}")


def print_markdown(document):
    about = document["machine"]
    print(f"{about['cores']} cores of {about['processor']}, "
          f"{about['memory_gib']:g} GiB, Linux {about['kernel']}; "
          f"{about['compiler']}; {about['postgresql']}.")
    group = None
    for row in document["rows"]:
        if row["group"] != group:
            group = row["group"]
            print(f"\n**{group}** (commit {row['measured']})\n")
            print("| " + " | ".join(cell.capitalize() for cell in HEAD) + " |")
            print("|---|---:|---|---|---:|---|---|")
        print("| " + " | ".join(cells(row)) + " |")
    notes = [row for row in document["rows"] if row["note"]]
    if notes:
        print()
    for row in notes:
        print(f"- {row['name']}: {row['note']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="?", help="folder with lists of rows")
    parser.add_argument("--json", help="where the whole is kept")
    parser.add_argument("--markdown", metavar="JSON",
                        help="print what was kept as a table of a document")
    arguments = parser.parse_args()
    if arguments.markdown:
        print_markdown(json.loads(
            pathlib.Path(arguments.markdown).read_text()))
        return
    if not arguments.rows:
        parser.error("no folder")
    rows = read_rows(arguments.rows)
    print_table(rows)
    if arguments.json:
        path = pathlib.Path(arguments.json)
        about = machine()
        for row in rows:
            row["measured"] = f"{about['commit']}, {about['time'][:16]}"
        others = kept_rows(path, {row["group"] for row in rows})
        document = {"machine": about, "rows": sorted(
            others + rows, key=lambda row: (ORDER + [row["group"]]).index(row["group"]))}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False)
                        + "\n")
        print(f"\nkept in {path}")


if __name__ == "__main__":
    main()

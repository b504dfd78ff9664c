"""Counts the tests of a build by label from what ctest ran.

Fails when a test left no result, failed, or was skipped or disabled: a test
that did not run proves nothing.

usage: count_tests.py PRESET
"""

import collections
import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("unit", "integration", "fault", "load")


def main(preset):
    listed = json.loads(subprocess.run(
        ["ctest", "--preset", preset, "--show-only=json-v1"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    counts, wrong = collections.Counter(), []
    for test in listed["tests"]:
        labels = next((p["value"] for p in test["properties"] if p["name"] == "LABELS"), [])
        kind = next((kind for kind in KINDS if kind in labels), "other")
        if not any(word.startswith("--gtest_output") for word in test.get("command", [])):
            counts[kind] += 1
            continue
        result = ROOT / "build" / preset / "test-results" / f"{test['name']}.xml"
        if not result.exists():
            wrong.append(f"{test['name']}: no result")
            continue
        suites = xml.etree.ElementTree.parse(result).getroot()
        for case in suites.iter("testcase"):
            counts[kind] += 1
            if (case.get("status"), case.get("result")) != ("run", "completed"):
                wrong.append(f"{case.get('classname')}.{case.get('name')}: skipped or disabled")
            elif case.find("failure") is not None:
                wrong.append(f"{case.get('classname')}.{case.get('name')}: failed")
    by_kind = ", ".join(f"{counts[kind]} {kind}" for kind in (*KINDS, "other") if counts[kind])
    print(f"{preset}: {sum(counts.values())} tests ({by_kind or 'none'})")
    for line in wrong:
        print(f"  {line}")
    return 1 if wrong or not counts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

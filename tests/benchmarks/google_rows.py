#!/usr/bin/env python3
"""Prints the results of Google Benchmark as rows of the group `parts`."""

import json
import pathlib
import sys

rows = []
for result in json.loads(pathlib.Path(sys.argv[1]).read_text())["benchmarks"]:
    if result.get("error_occurred"):
        sys.exit(f"{result['name']}: {result.get('error_message')}")
    rate = result.get("items_per_second")
    rows.append({
        "group": "parts",
        "name": result["name"],
        "value": result["real_time"] if rate is None else rate,
        "unit": result["time_unit"] if rate is None else "1/s",
    })
json.dump(rows, sys.stdout)

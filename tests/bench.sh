#!/usr/bin/env bash
# Runs the measurements of tests/benchmarks/README.md and prints their table:
#   tests/bench.sh [group...]     all groups without any
set -euo pipefail
cd "$(dirname "$0")/.."

programs=build/release/benchmarks
groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(read submit rush growth parts)

rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT
export PARCOURS_BENCH_ROWS="$rows"

# Google Benchmark's programs, and their results as rows.
parts() {
  local program name
  for program in "$programs"/*_benchmark; do
    name=${program##*/}
    case "$name" in read_*|submit_*|rush_*|growth_*) continue ;; esac
    "$program" --benchmark_out="$rows/$name.google" --benchmark_out_format=json
    python3 tests/benchmarks/google_rows.py "$rows/$name.google" > "$rows/parts-$name.json"
  done
}

run() {
  case "$1" in
    read|submit|rush) "$programs/$1_benchmark" ;;
    growth) tests/benchmarks/growth.sh ;;
    parts) parts ;;
    *) echo "bench: no group $1" >&2; return 2 ;;
  esac
}

failed=()
for group in "${groups[@]}"; do
  echo "== $group ($(cut -d' ' -f1 /proc/loadavg) load)"
  SECONDS=0
  run "$group" || failed+=("$group")
  echo "== $group took ${SECONDS} s"
done
python3 tests/benchmarks/report.py "$rows" --json var/bench.json
[ ${#failed[@]} = 0 ] || { echo "bench: failed: ${failed[*]}" >&2; exit 1; }

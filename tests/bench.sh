#!/usr/bin/env bash
# Runs every program declared with parcours_benchmark, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."

shopt -s nullglob
programs=(build/release/benchmarks/*)
[ ${#programs[@]} -gt 0 ] || { echo "bench: no measurement is built" >&2; exit 1; }
for program in "${programs[@]}"; do
  echo "== ${program##*/}"
  "$program" "$@"
done

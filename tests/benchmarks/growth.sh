#!/usr/bin/env bash
# How time grows with what is stored: the group `growth` of README.md.
#   GROWTH=full tests/benchmarks/growth.sh     up to 10^6 applications
set -euo pipefail
cd "$(dirname "$0")/../.."

# The last is what everything is compared at; the first what with.
sizes="1000 10000 100000"
roster=3000
if [ "${GROWTH:-}" = full ]; then
  sizes="1000 100000 1000000"
  roster=100000
fi
for engine in sqlite postgresql; do
  # shellcheck disable=SC2086 # one argument each
  build/release/benchmarks/growth_benchmark "$engine" $sizes
done
build/release/benchmarks/growth_benchmark roster "$roster"

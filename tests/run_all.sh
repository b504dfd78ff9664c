#!/usr/bin/env bash
# Every check and every test that needs no other machine, with the seconds each
# stage took. Stops at the first stage that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=2
table=()

summary() {
  local status=$? line
  printf '\n%-34s %8s\n' stage seconds
  for line in ${table[@]+"${table[@]}"}; do printf '%-34s %8s\n' "${line% *}" "${line##* }"; done
  printf '%-34s %8s\n' total "$SECONDS"
  if [ -d build/asan/test-results ]; then python3 tests/count_tests.py asan || status=1; fi
  if [ -d build/tsan/test-results ]; then python3 tests/count_tests.py tsan || status=1; fi
  if [ "$status" = 0 ]; then echo "all passed"; else echo "FAILED"; fi
  exit "$status"
}

stage() {
  local name=$1 start=$SECONDS status=0
  shift
  echo "== $name"
  "$@" || status=$?
  [ "$status" = 0 ] || name="$name (failed)"
  table+=("$name $((SECONDS - start))")
  return "$status"
}

build() {
  cmake --preset "$1" --log-level=WARNING && cmake --build --preset "$1" "${@:2}"
}

run_tests() { ctest --preset "$1" -j "$jobs"; }

rm -rf build/asan/test-results build/tsan/test-results
trap summary EXIT

stage "format" tests/lint.sh format
stage "contracts (buf lint)" tests/lint.sh proto
stage "web (biome, tsc)" tests/lint.sh web
stage "build, address sanitizer" build asan
stage "tests, address sanitizer" run_tests asan
stage "build, thread sanitizer" build tsan --target parcours_tests
stage "tests, thread sanitizer" run_tests tsan

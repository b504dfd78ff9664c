#!/usr/bin/env bash
# Lets libFuzzer look for inputs that a target does not survive: TARGET (all of
# them), for SECONDS each (60). What it finds on its way is kept in
# build/fuzz/corpus, what breaks a target in build/fuzz/broken. A find belongs
# into tests/fuzz/corpus/<target>, where every test run tries it.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${TARGET:-}
seconds=${SECONDS_EACH:-60}
cmake --preset fuzz --log-level=WARNING
if [ -n "$target" ]; then
  [ -f "tests/fuzz/targets/$target.cc" ] || { echo "fuzz: no target $target" >&2; exit 1; }
  cmake --build --preset fuzz --target "${target}_fuzz"
  targets=("$target")
else
  cmake --build --preset fuzz --target fuzz_targets
  targets=()
  for file in tests/fuzz/targets/*.cc; do targets+=("$(basename "$file" .cc)"); done
fi

# One report for each error, and none of memory that statics keep.
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
failed=()
for name in "${targets[@]}"; do
  echo "== $name"
  mkdir -p "build/fuzz/corpus/$name" "build/fuzz/broken/$name"
  if ! "build/fuzz/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=20 \
      -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="build/fuzz/broken/$name/" \
      "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" \
      2>"build/fuzz/$name.log"; then
    failed+=("$name")
    tail -40 "build/fuzz/$name.log"
  fi
  grep -E 'stat::(number_of_executed_units|average_exec_per_sec|new_units_added)' \
    "build/fuzz/$name.log" | sed 's/^stat:://' || true
done
[ ${#failed[@]} = 0 ] || { echo "fuzz: broken: ${failed[*]}" >&2; exit 1; }

#!/usr/bin/env bash
# Checks that need no running program.
#
#   tests/lint.sh              all of them
#   tests/lint.sh format       clang-format on our C++ files
#   tests/lint.sh format-fix   the same, rewriting them, TypeScript too
#   tests/lint.sh proto        buf lint on the contracts
#   tests/lint.sh web          biome and the TypeScript compiler on clients/
#   tests/lint.sh tidy         clang-tidy, on files whose content, headers or
#                              options changed since they were last found clean
set -euo pipefail
cd "$(dirname "$0")/.."

sources() {
  git ls-files --cached --others --exclude-standard -z -- '*.cc' '*.h' |
    while IFS= read -r -d '' file; do [ -f "$file" ] && printf '%s\0' "$file"; done
}

format() { sources | xargs -0 -r clang-format-14 --dry-run --Werror; }
format_fix() { sources | xargs -0 -r clang-format-14 -i; }
proto() {
  local machine
  machine=$(uname -m)
  "node_modules/@bufbuild/buf-linux-${machine/x86_64/x64}/bin/buf" lint
}
biome() {
  local machine
  machine=$(uname -m)
  machine=${machine/x86_64/x64}
  "node_modules/@biomejs/cli-linux-${machine/aarch64/arm64}/biome" "$@"
}
web() {
  biome check --error-on-warnings clients biome.json &&
    node_modules/.bin/node node_modules/.bin/tsc --project clients/gateway/tsconfig.json
}
web_fix() { biome check --write clients biome.json; }
tidy() { python3 tests/clang_tidy.py; }

case "${1:-all}" in
  format) format ;;
  format-fix) format_fix && web_fix ;;
  proto) proto ;;
  web) web ;;
  tidy) tidy ;;
  all) format && proto && web && tidy ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

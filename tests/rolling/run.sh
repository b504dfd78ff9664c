#!/usr/bin/env bash
# A rolling upgrade from a former revision to this tree, under a small load: two
# replicas of enrolmentd on one PostgreSQL are replaced one after the other, once
# the schema has been migrated while the former ones serve.
#
# usage: run.sh REVISION
# PARCOURS_BINARIES names the build of this tree (build/release), which must have
# enrolmentd, parcours, documents_inspector and rolling_load. The former revision
# is built below build/rolling, which takes long the first time, or is already
# built in PARCOURS_PREVIOUS_BINARIES.
set -euo pipefail
cd "$(dirname "$0")/../.."
revision=$(git rev-parse --verify --quiet "${1:?usage: run.sh REVISION}^{commit}") ||
  { echo "$1 is no revision" >&2; exit 2; }

next=$PWD/${PARCOURS_BINARIES:-build/release}
build_previous() {
  local source_tree=$PWD/build/rolling/source
  previous=$PWD/build/rolling/build
  if [ -e "$source_tree/.git" ]; then
    git -C "$source_tree" checkout --quiet --detach "$revision"
  else
    git worktree prune
    git worktree add --quiet --detach "$source_tree" "$revision"
  fi
  # What `make deps` has fetched serves both.
  [ -e "$source_tree/node_modules" ] || ln -s "$PWD/node_modules" "$source_tree/node_modules"
  cmake -S "$source_tree" -B "$previous" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DBUILD_TESTING=OFF --log-level=WARNING
  cmake --build "$previous" --target enrolmentd parcours documents_inspector
}

if [ -n "${PARCOURS_PREVIOUS_BINARIES:-}" ]; then
  previous=$PWD/$PARCOURS_PREVIOUS_BINARIES
else
  build_previous
fi

source deploy/local/system.sh
source deploy/local/authority.sh
state=$(mktemp -d /tmp/parcours-rolling.XXXXXX)
database=postgresql
cli=$next/clients/cli/parcours
prepare_state

declare -A replicas=()
stop_all() {
  local pid
  for pid in "${replicas[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  wait || true
  stop_postgresql
  rm -rf "$state"
}
trap stop_all EXIT

make_authority
start_postgresql

migrate() {
  "$1/clients/cli/parcours" migrate --service=enrolment --simulation \
    --database_url="$(database_url enrolment)"
}

# start_replica NAME BINARIES LISTEN_ADDRESS: as replicas are, on the same
# secrets and files.
start_replica() {
  local flags
  mapfile -t flags < <(authority_flags enrolment)
  rm -f "$state/run/$1.port"
  "$2/services/enrolment/enrolmentd" --listen_address="$3" \
    --port_file="$state/run/$1.port" "${flags[@]}" \
    --database_url="$(database_url enrolment)" --simulation \
    --simulation_start=2025-09-02T09:00:00+02:00 \
    --secret_file="$state/data/enrolment.key" --upload_dir="$state/uploads/enrolment" \
    --upload_key_file="$state/data/uploads.key" --rules_dir="$PWD/rules" \
    --documents_inspector="$2/common/documents/documents_inspector" \
    --scheduling_address= --evaluation_address= \
    >>"$state/log/$1.log" 2>&1 </dev/null &
  replicas[$1]=$!
  local waited=0
  until [ -s "$state/run/$1.port" ] && "$cli" health --address="$(address_of "$1")" >/dev/null 2>&1; do
    if ! kill -0 "${replicas[$1]}" 2>/dev/null || [ "$waited" = 300 ]; then
      echo "$1 did not start:" >&2
      tail -n 20 "$state/log/$1.log" >&2
      return 1
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
}

# replace NAME: by this tree's, at the same address.
replace() {
  local address
  address=$(address_of "$1")
  kill -TERM "${replicas[$1]}"
  wait "${replicas[$1]}"
  start_replica "$1" "$next" "$address"
}

load() {
  "$next/tests/rolling/rolling_load" "$authority/token" "$1" "$2" \
    "$(address_of a)" "$(address_of b)"
}

migrate "$previous"
start_replica a "$previous" 127.0.0.1:0
start_replica b "$previous" 127.0.0.1:0
echo "two replicas of $revision"
load 1 20
load 21 40 & during=$!
migrate "$next"
wait "$during"
echo "the schema is this tree's"
load 61 40 & during=$!
replace a
wait "$during"
echo "one replica of each"
load 101 40 & during=$!
replace b
wait "$during"
echo "two replicas of this tree"
load 141 20

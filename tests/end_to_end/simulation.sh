#!/usr/bin/env bash
# A simulation for a test: Redis, the three services on free ports and a local
# authority, below STATE, until standard input ends. Says "ready" once they
# answer; addresses are in STATE/run, the authority in STATE/authority.
#
# usage: PARCOURS_BINARIES=build/asan simulation.sh STATE
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/local/system.sh
source deploy/local/authority.sh

state=$1
database=sqlite
prepare_state

stop_all() {
  local name
  for name in evaluation scheduling enrolment redis; do stop "$name"; done
}
trap stop_all EXIT

make_authority
# A test calls as a service, too, which no issuer of an installation allows.
sed -i 's/ROLE_ADMINISTRATOR$/ROLE_ADMINISTRATOR, ROLE_SERVICE/' "$authority/identity.txtpb"

start_redis
start_simulation
echo ready
cat >/dev/null

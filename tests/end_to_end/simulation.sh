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
simulated=(--simulation --simulation_start=2000-01-01T00:00:00Z)
start_service enrolment 127.0.0.1:0 127.0.0.1:0 "${simulated[@]}" \
  --scheduling_address= --evaluation_address=
start_service scheduling 127.0.0.1:0 127.0.0.1:0 "${simulated[@]}" \
  --enrolment_address="$(tls_address_of enrolment)" --evaluation_address=
start_service evaluation 127.0.0.1:0 127.0.0.1:0 "${simulated[@]}" \
  --enrolment_address="$(tls_address_of enrolment)" \
  --scheduling_address="$(tls_address_of scheduling)"
echo ready
cat >/dev/null

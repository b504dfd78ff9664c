#!/usr/bin/env bash
# A simulation for a test: Redis, the three services on free ports and a local
# authority, below STATE, until standard input ends. Says "ready" once they
# answer; addresses are in STATE/run, the authority in STATE/authority. With
# `gateway` that is started too, with webhooks that may go to this machine. A line
# on standard input restarts enrolment where it was; says "restarted".
#
# usage: PARCOURS_BINARIES=build/asan simulation.sh STATE [gateway]
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/local/system.sh
source deploy/local/authority.sh

state=$1
database=sqlite
prepare_state

stop_all() {
  local name
  for name in gateway evaluation scheduling enrolment redis; do stop "$name"; done
}
trap stop_all EXIT

make_authority
# A test calls as a service, too, which no issuer of an installation allows.
sed -i 's/ROLE_ADMINISTRATOR$/ROLE_ADMINISTRATOR, ROLE_SERVICE/' "$authority/identity.txtpb"

start_redis
start_simulation
if [ "${2:-}" = gateway ]; then
  start_gateway 127.0.0.1:0 --webhooks_allow_loopback
fi
echo ready
while read -r _; do
  restart_enrolment
  echo restarted
done

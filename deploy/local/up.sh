#!/usr/bin/env bash
# Starts Redis and the three services on their usual ports, with their data in
# var/. A second call says that they are there; `make down` stops them.
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/local/system.sh

state=$PWD/var
database=sqlite
prepare_state

declare -A ports=([enrolment]=50051 [scheduling]=50052 [evaluation]=50053)

running=0
for name in redis "${service_names[@]}"; do
  if is_running "$name"; then running=$((running + 1)); fi
done
if [ "$running" = 4 ]; then
  echo "up: already up"
else
  is_running redis || start_redis
  for name in "${service_names[@]}"; do
    is_running "$name" && continue
    flags=(--reflection)
    if [ "$name" != enrolment ]; then
      flags+=(--enrolment_address="127.0.0.1:${ports[enrolment]}")
    fi
    if [ "$name" = evaluation ]; then
      flags+=(--scheduling_address="127.0.0.1:${ports[scheduling]}")
    fi
    start_service "$name" "127.0.0.1:${ports[$name]}" "${flags[@]}"
  done
  echo "up: started"
fi

for name in "${service_names[@]}"; do
  printf '  %-12s %-18s %s\n' "$(daemon_of "$name")" "$(address_of "$name")" "var/log/$name.log"
done
printf '  %-12s %-18s %s\n' redis "unix socket" var/log/redis.log

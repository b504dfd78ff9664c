#!/usr/bin/env bash
# Starts Redis, the three services on their usual ports and the gateway before
# them, with their data in var/ and the local authority in var/authority. A second
# call says that they are there; `make down` stops them.
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/local/system.sh
source deploy/local/authority.sh

state=$PWD/var
database=sqlite
prepare_state
make_authority

declare -A ports=([enrolment]=50051 [scheduling]=50052 [evaluation]=50053)
declare -A tls_ports=([enrolment]=50061 [scheduling]=50062 [evaluation]=50063)

running=0
for name in redis "${service_names[@]}" gateway; do
  if is_running "$name"; then running=$((running + 1)); fi
done
if [ "$running" = 5 ]; then
  echo "up: already up"
else
  is_running redis || start_redis
  for name in "${service_names[@]}"; do
    is_running "$name" && continue
    start_service "$name" "127.0.0.1:${ports[$name]}" "127.0.0.1:${tls_ports[$name]}" \
      --local --reflection --trusted_proxies=loopback \
      --enrolment_address="127.0.0.1:${tls_ports[enrolment]}" \
      --scheduling_address="127.0.0.1:${tls_ports[scheduling]}" \
      --evaluation_address="127.0.0.1:${tls_ports[evaluation]}"
  done
  if ! is_running gateway; then
    start_gateway 127.0.0.1:8080
  fi
  echo "up: started"
fi

for name in "${service_names[@]}"; do
  printf '  %-12s %-18s %s\n' "$(daemon_of "$name")" "$(address_of "$name")" "var/log/$name.log"
done
printf '  %-12s %-18s %s\n' redis "unix socket" var/log/redis.log
printf '  %-12s %-18s %s\n' gateway "$(address_of gateway)" var/log/gateway.log
printf '  %-12s %s\n' "" "http://$(address_of gateway)/docs, the APIs over HTTP"
cat <<'HOW'
Calls carry a bearer token. `parcours` takes the administrator's in
var/authority/token, good for 12 hours; another one, for grpcurl or a test:
  build/release/clients/cli/parcours token --as coordinator --body bodies/opale
HOW

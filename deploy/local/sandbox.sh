#!/usr/bin/env bash
# A system for partners to try their programs against: time is simulated, the
# people are made up, faults come when asked for. Left running on loopback, with
# its state in var/sandbox and a key for each role in var/sandbox/keys.
#
#   sandbox.sh         starts it, or says that it is up; keys are made anew
#   sandbox.sh reset   forgets everything that happened in it and starts again
#   sandbox.sh down    stops it; what happened stays
#
# SANDBOX_STATE, SANDBOX_PORT, SANDBOX_GRPC_PORT  its folder, the gateway's port,
#                                                 the first of the services'; 0: free
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/local/system.sh
source deploy/local/authority.sh

state=${SANDBOX_STATE:-$PWD/var/sandbox}
database=sqlite
port=${SANDBOX_PORT:-8090}
grpc_port=${SANDBOX_GRPC_PORT:-50151}
names=(gateway evaluation scheduling enrolment redis)

stop_all() {
  local name
  for name in "${names[@]}"; do stop "$name"; done
}

mkdir -p "$(dirname "$state")"
exec 9>"$state.lock"
flock --nonblock 9 || { echo "sandbox: somebody else is starting or stopping it" >&2; exit 1; }

case ${1:-up} in
  up) ;;
  reset)
    stop_all
    rm -rf "$state"
    ;;
  down)
    stop_all
    echo "sandbox: down; its state is in ${state#"$PWD"/}"
    exit 0
    ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

# What does not come up whole goes.
trap '[ $? = 0 ] || stop_all' EXIT
prepare_state
make_authority
keys=$state/keys
mkdir -p "$keys"
chmod 700 "$keys"

is_running redis || start_redis
# A service that is alone would not be found by those that start again.
running=0
for name in "${service_names[@]}"; do
  if is_running "$name"; then running=$((running + 1)); fi
done
if [ "$running" != 3 ]; then
  for name in gateway evaluation scheduling enrolment; do stop "$name"; done
  # Applications to the programme of 2026 are open, the course has not begun.
  start_simulation 2025-09-08T09:00:00+02:00 "$grpc_port"
fi

if [ ! -e "$state/seeded" ]; then
  "$cli" programme apply programmes/culture-ess-2026.txtpb \
    programmes/culture-ess-2026.fictitious.txtpb --open \
    --enrolment_address="$(address_of enrolment)" \
    --scheduling_address="$(address_of scheduling)" \
    --evaluation_address="$(address_of evaluation)" >"$state/log/programme.log"
fi

is_running gateway || start_gateway "127.0.0.1:$port" --sandbox --webhooks_allow_loopback

# key NAME ROLE [FLAG...]: a token good for a day.
key() {
  local name=$1 role=$2
  shift 2
  "$cli" token --as="$role" --valid_for=24h --signing_key_file="$authority/signing-key.json" \
    --out="$keys/$name.token" "$@"
}
key administrator administrator
for role in coordinator admissions accountant pedagogical_director tutor disability_contact \
  certifier steering_reader auditor; do
  key "$role" "$role" --body=bodies/opale
done
key afdas funder --body=bodies/opale --funder=afdas

# The people and what they have done so far, by the API alone.
[ -e "$state/seeded" ] || {
  python3 deploy/local/sandbox_people.py "http://$(address_of gateway)" "$keys"
  touch "$state/seeded"
}
while read -r name role flag; do
  key "$name" "$role" --body=bodies/opale "$flag"
done <"$keys/people.txt"

cat <<HOW
Parcours sandbox
  JSON, Connect, gRPC-Web  http://$(address_of gateway)       (the API: http://$(address_of gateway)/docs)
  gRPC                     $(address_of enrolment)  enrolment
                           $(address_of scheduling)  scheduling
                           $(address_of evaluation)  evaluation
  keys                     ${keys#"$PWD"/}: $(cd "$keys" && ls -- *.token | sed 's/\.token//' | paste -sd' ' | fold -s -w 60 | sed '2,$s/^/                           /')
                           partner.json (client id and secret of a partner's program)
Try it:
  curl -H "Authorization: Bearer \$(cat ${keys#"$PWD"/}/coordinator.token)" \\
    http://$(address_of gateway)/v1/bodies/opale/cohorts/culture-ess-2026
Move time, ask for faults: docs/api/sandbox.md. Begin again: make sandbox-reset.
HOW

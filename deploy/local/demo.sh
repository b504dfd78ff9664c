#!/usr/bin/env bash
# Lives a whole cohort through the public APIs, on a system of its own below
# var/demo that ends with the demonstration: ports are the kernel's choice, so
# it never meets `make up`.
#
# SEED             what chance decides, decided again the same way (default 2026)
# PROGRAMME        the programme to live (default programmes/culture-ess-2026.txtpb);
#                  NAME.fictitious.txtpb beside it completes it
# DEMO_DATABASE    sqlite, or postgresql: a throw-away cluster started here
# DEMO_STATE       folder of everything it leaves (default var/demo)
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/local/system.sh
source deploy/local/authority.sh

state=$(realpath -m "${DEMO_STATE:-var/demo}")
database=${DEMO_DATABASE:-sqlite}
case $database in
  sqlite | postgresql) ;;
  *) echo "demo: DEMO_DATABASE is '$database': expected sqlite or postgresql" >&2; exit 2 ;;
esac

programme=${PROGRAMME:-programmes/culture-ess-2026.txtpb}
[ -f "$programme" ] || { echo "demo: there is no $programme" >&2; exit 2; }
completion=${programme%.txtpb}.fictitious.txtpb
if [ -f "$completion" ]; then programme+=,$completion; fi

mkdir -p "$(dirname "$state")"
exec 9>"$state.lock"
flock --nonblock 9 || { echo "demo: one is already running in $state" >&2; exit 1; }

stop_all() {
  local name
  for name in evaluation scheduling enrolment redis; do stop "$name"; done
  stop_postgresql
}

# What a demonstration that was killed left behind goes first.
stop_all
rm -rf "$state"
prepare_state
make_authority
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_redis
if [ "$database" = postgresql ]; then start_postgresql; fi
start_simulation

"$cli" demo \
  --enrolment_address="$(address_of enrolment)" \
  --scheduling_address="$(address_of scheduling)" \
  --evaluation_address="$(address_of evaluation)" \
  --seed="${SEED:-2026}" \
  --programme="$programme" \
  --report="$state/report.json" 9>&- || {
  status=$?
  echo "demo: it stopped; the services' logs are in $state/log" >&2
  exit "$status"
}

"$cli" audit verify \
  --enrolment_address="$(address_of enrolment)" \
  --scheduling_address="$(address_of scheduling)" \
  --evaluation_address="$(address_of evaluation)" 9>&-

echo "Journaux des services : ${state#"$PWD"/}/log ; bases : ${state#"$PWD"/}/data."
echo "Le système local, qui reste en marche : make up."

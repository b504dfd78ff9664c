#!/usr/bin/env bash
# Brings the images up with compose, on a fresh state, and lives the whole
# demonstration against them through nginx: gRPC on its three ports, JSON and the
# page of the API on the gateway's. Then takes one service away and brings it
# back. Everything is removed at the end; the logs stay in var/images-test.
#
#   CONTAINER_ENGINE, IMAGES, TAG  as build.sh
#   COMPOSE                        the compose command (default: docker compose
#                                  or docker-compose)
set -euo pipefail
cd "$(dirname "$0")/../.."

engine=${CONTAINER_ENGINE:-$(command -v podman || command -v docker || true)}
[ -n "$engine" ] || { echo "images-test: neither podman nor docker is installed" >&2; exit 1; }
export PARCOURS_IMAGES=${IMAGES:-localhost/parcours} PARCOURS_TAG=${TAG:-latest}
export PARCOURS_KIND=simulation COMPOSE_PROJECT_NAME=parcours-test

logs=$PWD/var/images-test
rm -rf "$logs" && mkdir -p "$logs"
# Outside of the clone: the containers' user must be able to enter it.
PARCOURS_STATE=$(mktemp -d /tmp/parcours-images.XXXXXX)
export PARCOURS_STATE
chmod 755 "$PARCOURS_STATE"

# Podman speaks to compose through its service, which ends with this script.
podman_service=
if [ "$(basename "$engine")" = podman ] && [ -z "${DOCKER_HOST:-}" ]; then
  export DOCKER_HOST=unix://$PARCOURS_STATE/podman.sock
  "$engine" system service --time=0 "$DOCKER_HOST" >"$logs/podman.log" 2>&1 &
  podman_service=$!
  until [ -S "$PARCOURS_STATE/podman.sock" ]; do sleep 0.1; done
fi
if [ -n "${COMPOSE:-}" ]; then read -ra compose <<<"$COMPOSE"
elif docker compose version >/dev/null 2>&1; then compose=(docker compose)
else compose=(docker-compose); fi
compose+=(--file deploy/compose/compose.yaml)

finish() {
  local status=$?
  "${compose[@]}" logs --no-color >"$logs/containers.log" 2>&1 || true
  "${compose[@]}" down --volumes --timeout 30 >>"$logs/compose.log" 2>&1 || true
  [ -z "$podman_service" ] || kill "$podman_service" 2>/dev/null || true
  rm -rf "$PARCOURS_STATE"
  if [ "$status" = 0 ]; then echo "images-test: passed"
  else echo "images-test: FAILED; logs in ${logs#"$PWD"/}" >&2; fi
}
trap finish EXIT

step() { printf '== %s\n' "$*"; }

# parcours ARGUMENT...: the operator's command, in a container of its own beside
# the others, which sees what a partner outside would see.
parcours() {
  "$engine" run --rm --network "${COMPOSE_PROJECT_NAME}_inside" --read-only --tmpfs /tmp \
    --cap-drop ALL --security-opt no-new-privileges \
    --volume "$PARCOURS_STATE/operator:/run/parcours:ro" \
    "$PARCOURS_IMAGES/services:$PARCOURS_TAG" parcours "$@" \
    --token_file=/run/parcours/token --tls_ca_file=/run/parcours/ca.pem
}
proxy=proxy.parcours.internal
addresses=(--enrolment_address=$proxy:8451 --scheduling_address=$proxy:8452
  --evaluation_address=$proxy:8453)

# https PATH [CURL OPTION...]: through nginx, from this machine.
https() {
  local path=$1
  shift
  curl --silent --show-error --fail --max-time 20 --cacert "$PARCOURS_STATE/operator/ca.pem" \
    --header "Authorization: Bearer $(cat "$PARCOURS_STATE/operator/token")" "$@" \
    "https://localhost:8443$path"
}

until_true() {
  local waited=0
  until "$@" >/dev/null 2>&1; do
    waited=$((waited + 1))
    [ "$waited" -lt 120 ] || { echo "images-test: still not so: $*" >&2; "$@"; return 1; }
    sleep 0.5
  done
}

step "up"
"${compose[@]}" up --detach >>"$logs/compose.log" 2>&1
for port in 8451 8452 8453; do until_true parcours health --address="$proxy:$port"; done
until_true https /readyz

step "nobody is root, nothing can be written"
for name in nginx gateway enrolment scheduling evaluation postgresql redis; do
  container=$("${compose[@]}" ps --quiet "$name")
  [ "$("$engine" exec "$container" id -u)" = 10001 ]
  if "$engine" exec "$container" sh -c 'echo x >/written' 2>/dev/null; then
    echo "images-test: $name writes to its root" >&2
    exit 1
  fi
done

step "the demonstration, through nginx"
parcours demo "${addresses[@]}" --seed="${SEED:-2026}" \
  --programme=programmes/culture-ess-2026.txtpb,programmes/culture-ess-2026.fictitious.txtpb

step "the chains of the audit trail"
parcours audit verify "${addresses[@]}"

step "JSON and the page of the API, through the gateway"
https /v1/bodies/opale/cohorts/culture-ess-2026 | tee "$logs/cohort.json" | head -c 300
echo
grep -q '"name"' "$logs/cohort.json"
https /openapi.json >"$logs/openapi.json"
https /docs >/dev/null

step "a service that is killed and started again is found again"
"$engine" restart --time 0 "$("${compose[@]}" ps --quiet enrolment)" >/dev/null
until_true parcours health --address="$proxy:8451"
until_true https /v1/bodies/opale/cohorts/culture-ess-2026

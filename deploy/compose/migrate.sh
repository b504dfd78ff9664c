#!/usr/bin/env bash
# Brings the three databases to what this image's services expect, once
# PostgreSQL answers.
set -euo pipefail

kind=()
if [ "${PARCOURS_KIND:-}" = simulation ]; then kind=(--simulation); fi

for service in enrolment scheduling evaluation; do
  for attempt in {1..60}; do
    status=0
    parcours migrate --service="$service" \
      --database_url="postgresql://parcours@postgresql/$service" \
      --database_password_file=/run/parcours/password "${kind[@]}" || status=$?
    [ "$status" != 0 ] || break
    [ "$attempt" != 60 ] || exit "$status"
    sleep 1
  done
done

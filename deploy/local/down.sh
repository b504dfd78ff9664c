#!/usr/bin/env bash
# Stops what up.sh started, each before what it uses. Data stays.
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/local/system.sh

state=$PWD/var
stopped=0
for name in gateway evaluation scheduling enrolment redis; do
  if is_running "$name"; then
    stop "$name"
    stopped=$((stopped + 1))
  fi
done
if [ "$stopped" = 0 ]; then echo "down: nothing was up"; else echo "down: stopped"; fi

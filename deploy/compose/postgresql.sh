#!/bin/sh
# One PostgreSQL with a database for each service. Made at the first start, with
# the password that setup.sh left.
set -eu

data=/var/lib/postgresql/data
bin=/usr/lib/postgresql/15/bin

if [ ! -s "$data/PG_VERSION" ]; then
  # Made aside, so that what was interrupted is not taken for a database.
  rm -rf "$data.new"
  "$bin/initdb" --pgdata="$data.new" --username=parcours --pwfile=/run/parcours/password \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  echo 'host all all all scram-sha-256' >>"$data.new/pg_hba.conf"
  for service in enrolment scheduling evaluation; do
    echo "CREATE DATABASE $service;"
  done | "$bin/postgres" --single -D "$data.new" postgres >/dev/null
  mv "$data.new" "$data"
fi

exec "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp \
  -c max_connections=200 -c password_encryption=scram-sha-256

# Starts and stops a whole local system. Sourced by up.sh, down.sh and demo.sh,
# which set, before calling anything here:
#   state      folder of this system (run/, log/, data/ and uploads/ go below it)
#   database   sqlite or postgresql
# File descriptor 9 is the callers' lock: what is started here does not keep it.
# Everything listens on loopback or on a unix socket, and a system is found again
# by its process files in $state/run.

binaries=${PARCOURS_BINARIES:-build/release}
cli=$binaries/clients/cli/parcours
service_names=(enrolment scheduling evaluation)

daemon_of() {
  case $1 in
    enrolment) echo enrolmentd ;;
    scheduling) echo schedulingd ;;
    evaluation) echo evaluationd ;;
  esac
}

prepare_state() {
  mkdir -p "$state"/{run,log,data,uploads}
  chmod 700 "$state/run" "$state/data" "$state/uploads"
  # A socket's path has at most 107 bytes; a deep clone needs a shorter one.
  sockets=$state/run
  if [ ${#sockets} -gt 80 ]; then
    sockets=$(cat "$state/run/sockets" 2>/dev/null || true)
    [ -d "$sockets" ] || sockets=$(mktemp -d /tmp/parcours.XXXXXX)
    echo "$sockets" >"$state/run/sockets"
  fi
}

# is_running NAME: whether the process recorded under NAME is alive and still
# the one that was started, not a later process with its number.
is_running() {
  local file=$state/run/$1.pid pid started
  [ -s "$file" ] || return 1
  read -r pid started <"$file"
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

# When the process began, in ticks since boot; nothing for one that has ended,
# also when nobody has collected it yet.
start_time() {
  awk '{ sub(/.*\) /, ""); if ($1 != "Z") print $20 }' "/proc/$1/stat" 2>/dev/null || true
}

record() { echo "$2 $(start_time "$2")" >"$state/run/$1.pid"; }

# stop NAME [SIGNAL]: asks the process to end and waits: services drain first.
stop() {
  local pid waited=0
  if is_running "$1"; then
    read -r pid _ <"$state/run/$1.pid"
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    while is_running "$1"; do
      if [ "$waited" = 300 ]; then
        echo "$1 (process $pid) is still there after 30 s; killing it" >&2
        kill -KILL "$pid" 2>/dev/null || true
      fi
      sleep 0.1
      waited=$((waited + 1))
    done
  fi
  rm -f "$state/run/$1.pid"
}

# until_ready NAME COMMAND...: waits at most 30 s for the command to succeed,
# and shows the end of the log when the process dies instead.
until_ready() {
  local name=$1 waited=0
  shift
  until "$@" >/dev/null 2>&1; do
    if ! is_running "$name" || [ "$waited" = 300 ]; then
      echo "$name did not start; the end of $state/log/$name.log:" >&2
      tail -n 20 "$state/log/$name.log" >&2
      return 1
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
}

redis_url() { echo "unix://$sockets/redis.sock"; }

start_redis() {
  # A cache: nothing is kept on disk, and old entries make room.
  setsid redis-server --port 0 --unixsocket "$sockets/redis.sock" --unixsocketperm 700 \
    --save '' --appendonly no --maxmemory 64mb --maxmemory-policy allkeys-lru \
    --dir "$state/run" >"$state/log/redis.log" 2>&1 </dev/null 9>&- &
  record redis $!
  until_ready redis redis-cli -s "$sockets/redis.sock" ping
}

# as_postgres COMMAND...: PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# A throw-away cluster, on a unix socket only, deleted by stop_postgresql.
start_postgresql() {
  local bin service
  bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  cluster=$state/postgresql
  if [ "$(id -u)" = 0 ]; then
    rm -rf "$cluster" && mkdir -p "$cluster" && chown postgres "$cluster"
    # A clone in a folder that only root may enter: the cluster lives elsewhere.
    if [ ${#cluster} -gt 80 ] || ! as_postgres test -w "$cluster"; then
      rm -rf "$cluster"
      cluster=$(mktemp -d /tmp/parcours.XXXXXX)
      chown postgres "$cluster"
    fi
  else
    rm -rf "$cluster"
    [ ${#cluster} -le 80 ] && mkdir -p "$cluster" || cluster=$(mktemp -d /tmp/parcours.XXXXXX)
  fi
  chmod 700 "$cluster"
  echo "$cluster" >"$state/run/cluster"
  (cd "$cluster" && as_postgres "$bin/initdb" --pgdata="$cluster/data" --username=parcours \
    --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null)
  (cd "$cluster" && as_postgres "$bin/pg_ctl" --pgdata="$cluster/data" --wait --silent \
    --log="$cluster/postgresql.log" \
    --options="-k $cluster -c listen_addresses='' -c max_connections=200" start >/dev/null 9>&-)
  for service in "${service_names[@]}"; do
    psql --host="$cluster" --username=parcours --dbname=postgres --quiet \
      --command="CREATE DATABASE $service"
  done
}

stop_postgresql() {
  local bin
  cluster=$(cat "$state/run/cluster" 2>/dev/null || true)
  [ -n "$cluster" ] && [ -d "$cluster/data" ] || return 0
  bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  (cd "$cluster" && as_postgres "$bin/pg_ctl" --pgdata="$cluster/data" --mode=fast --silent stop) || true
  rm -rf "$cluster" "$state/run/cluster"
}

database_url() {
  if [ "$database" = postgresql ]; then
    echo "postgresql:///$1?host=$cluster&user=parcours"
  else
    echo "sqlite://$state/data/$1.db"
  fi
}

# start_service NAME LISTEN_ADDRESS TLS_LISTEN_ADDRESS [FLAG...]: starts one of
# the three and waits until it says that it serves: clients in plain text at the
# first address, the other services at the second. REQUIRES: make_authority.
start_service() {
  local name=$1 listen=$2 tls_listen=$3 daemon identity
  shift 3
  daemon=$(daemon_of "$name")
  mapfile -t identity < <(authority_flags "$name")
  rm -f "$state/run/$name.port" "$state/run/$name.tls-port"
  mkdir -p "$state/uploads/$name"
  if [ "$database" = postgresql ]; then
    # A service migrates a SQLite file itself, and never PostgreSQL.
    local kind=()
    case " $* " in
      *" --simulation "*) kind=(--simulation) ;;
      *" --local "*) kind=(--local) ;;
    esac
    "$cli" migrate --service="$name" --database_url="$(database_url "$name")" "${kind[@]}"
  fi
  setsid "$binaries/services/$name/$daemon" \
    --listen_address="$listen" --port_file="$state/run/$name.port" \
    --tls_listen_address="$tls_listen" --tls_port_file="$state/run/$name.tls-port" \
    "${identity[@]}" \
    --metrics_address=127.0.0.1:0 \
    --database_url="$(database_url "$name")" --redis_url="$(redis_url)" \
    --secret_file="$state/data/$name.key" --upload_dir="$state/uploads/$name" \
    --upload_key_file="$state/data/$name-uploads.key" --rules_dir="$PWD/rules" \
    --documents_inspector="$binaries/common/documents/documents_inspector" \
    "$@" >>"$state/log/$name.log" 2>&1 </dev/null 9>&- &
  record "$name" $!
  until_ready "$name" is_serving "$name"
}

# start_gateway LISTEN_ADDRESS [FLAG...]: before the running services, with
# webhooks. REQUIRES: make_authority.
start_gateway() {
  local listen=$1 name addresses=() node=(node_modules/.bin/node --disable-warning=ExperimentalWarning)
  shift
  "${node[@]}" clients/gateway/src/contract/build.ts "$state/contract" >&2
  for name in "${service_names[@]}"; do
    addresses+=("--${name}_address=$(address_of "$name")"
      "--feed_${name}_address=$(tls_address_of "$name")")
  done
  rm -f "$state/run/gateway.port"
  setsid "${node[@]}" clients/gateway/src/main.ts --contract_dir="$state/contract" \
    --listen_address="$listen" --port_file="$state/run/gateway.port" "${addresses[@]}" \
    --webhooks_database="$state/data/webhooks.db" --webhooks_key_file="$state/data/webhooks.key" \
    --feed_certificate_file="$authority/feed-reader.pem" \
    --feed_key_file="$authority/feed-reader.pem" --feed_ca_file="$authority/ca.pem" \
    "$@" >>"$state/log/gateway.log" 2>&1 </dev/null 9>&- &
  record gateway $!
  until_ready gateway is_answering
}

is_answering() {
  [ -s "$state/run/gateway.port" ] &&
    curl --silent --fail --max-time 5 --output /dev/null "http://$(address_of gateway)/readyz"
}

# address_of NAME: where the running service listens.
address_of() { echo "127.0.0.1:$(cat "$state/run/$1.port")"; }

# tls_address_of NAME: where the other services reach it.
tls_address_of() { echo "127.0.0.1:$(cat "$state/run/$1.tls-port")"; }

is_serving() { [ -s "$state/run/$1.port" ] && "$cli" health --address="$(address_of "$1")"; }

# start_simulation [TIME [PORT]]: the three, the first in plain text on PORT and
# the others on the next two; on free ports without. Business time begins at TIME
# or, without, before any programme does; whoever lives in it moves it on.
start_simulation() {
  local port=${2:-0} i listen=()
  local simulated=(--simulation --simulation_start="${1:-2000-01-01T00:00:00Z}")
  for i in 0 1 2; do listen+=("127.0.0.1:$((port == 0 ? 0 : port + i))"); done
  # Who starts first does not know the others' ports, and must not take a system
  # that stands on the usual ones for them.
  start_service enrolment "${listen[0]}" 127.0.0.1:0 "${simulated[@]}" \
    --scheduling_address= --evaluation_address=
  start_service scheduling "${listen[1]}" 127.0.0.1:0 "${simulated[@]}" \
    --enrolment_address="$(tls_address_of enrolment)" --evaluation_address=
  start_service evaluation "${listen[2]}" 127.0.0.1:0 "${simulated[@]}" \
    --enrolment_address="$(tls_address_of enrolment)" \
    --scheduling_address="$(tls_address_of scheduling)"
  restart_enrolment
}

# restart_enrolment: where it was, in a simulation, knowing the others now: it asks
# them before somebody is erased, and follows them until all have done it.
restart_enrolment() {
  local addresses
  addresses=("$(address_of enrolment)" "$(tls_address_of enrolment)")
  stop enrolment
  start_service enrolment "${addresses[@]}" --simulation \
    --scheduling_address="$(tls_address_of scheduling)" \
    --evaluation_address="$(tls_address_of evaluation)"
}

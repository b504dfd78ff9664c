#!/usr/bin/env bash
# Prepares the folder that the containers share, once and again at each start:
# the authority that signs their certificates, the password of the database, the
# secrets of the services. Runs as root in a container of its own, which alone
# sees all of it; each of the others is given its own folder.
#
#   /state/authority          everything authority.sh makes
#   /state/NAME               what one container reads (NAME.pem, ca.pem, ...)
#   /state/uploads/NAME       files that people send
#   /state/privacy/NAME       master keys of a service, and who was erased
#
# PARCOURS_KIND=simulation: the services accept tokens signed by this authority,
# and /state/operator/token is an administrator's.
set -euo pipefail

state=/state
cli=parcours
service_names=(enrolment scheduling evaluation)
user=10001:10001
source /usr/local/share/parcours/authority.sh

umask 077
mkdir -p "$state"
make_authority

# give NAME FILE...: copies of the files, readable by the containers' user alone.
give() {
  local folder=$state/$1 file
  shift
  install -d -m 0700 -o "${user%:*}" -g "${user#*:}" "$folder"
  for file in "$@"; do
    install -m 0600 -o "${user%:*}" -g "${user#*:}" "$file" "$folder/.new"
    mv "$folder/.new" "$folder/$(basename "$file")"
  done
}

secret() { [ -s "$2" ] || head -c "$1" /dev/urandom >"$2"; }

secret 32 "$authority/quota.key"
[ -s "$authority/password" ] || openssl rand -hex 24 | tr -d '\n' >"$authority/password"

if [ "${PARCOURS_KIND:-}" = simulation ]; then
  identity=$authority/identity.txtpb
else
  # Without the local issuer: whose tokens are accepted is the operator's to say.
  mkdir -p "$authority/real"
  identity=$authority/real/identity.txtpb
  if [ -s /etc/parcours/identity.txtpb ]; then
    cp /etc/parcours/identity.txtpb "$identity"
  else
    sed -n '/^# enrolment, for the programs/,$p' "$authority/identity.txtpb" >"$identity"
  fi
fi

for name in "${service_names[@]}"; do
  secret 32 "$authority/$name.key"
  give "$name" "$authority/$name.pem" "$authority/ca.pem" "$authority/$name.key" \
    "$authority/quota.key" "$authority/password" "$identity" "$authority/keys.json" \
    "$authority/clients-key.jwks"
  install -d -m 0700 -o "${user%:*}" -g "${user#*:}" "$state/uploads" "$state/uploads/$name" \
    "$state/privacy" "$state/privacy/$name"
done
give enrolment "$authority/clients-key.jwk"
give postgresql "$authority/password"
give nginx "$authority/proxy.pem" "$authority/ca.pem"
give gateway "$authority/gateway.pem" "$authority/feed-reader.pem" "$authority/ca.pem"
install -d -m 0700 -o "${user%:*}" -g "${user#*:}" "$state/webhooks" "$state/database"
if [ "${PARCOURS_KIND:-}" = simulation ]; then
  give operator "$authority/token" "$authority/ca.pem" "$authority/signing-key.json"
else
  give operator "$authority/ca.pem"
fi
echo "setup: ready"

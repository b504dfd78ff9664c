# Makes the local authority of a system: who signs the certificates of its
# services and the tokens of its users. Sourced by up.sh and demo.sh after
# system.sh; needs the openssl command and no network.
#
#   $state/authority/            0700
#     ca.key ca.pem              the authority, for a year
#     NAME.pem                   key and certificate of a service, for 30 days
#     gateway.pem proxy.pem      the same of those who stand before the services
#     feed-reader.pem            the same of the gateway where it follows the
#                                feeds of the services, and reads nothing else
#     signing-key.json           with which `parcours token` signs
#     keys.json identity.txtpb   what the services are given of it
#     clients-key.jwk .jwks      with which enrolment signs for API clients
#     token                      the operator's, administrator, for 12 hours
#
# What is near its end is made again, services notice by themselves.

authority=

# still_good CERTIFICATE DAYS: whether it is there and lasts as long.
still_good() {
  openssl x509 -in "$1" -noout -checkend $(($2 * 86400)) >/dev/null 2>&1
}

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -quiet; }

make_ca() {
  still_good "$authority/ca.pem" 60 && return 0
  new_key >"$authority/ca.key.new"
  openssl req -x509 -new -key "$authority/ca.key.new" -days 365 -sha256 \
    -subj "/CN=Parcours, local authority" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -out "$authority/ca.pem.new"
  mv "$authority/ca.key.new" "$authority/ca.key"
  mv "$authority/ca.pem.new" "$authority/ca.pem"
  # They were signed by the former one.
  rm -f "$authority"/{enrolment,scheduling,evaluation,gateway,proxy,feed-reader}.pem
}

# make_certificate NAME [IDENTITY]: key and certificate in one file, replaced at
# one moment, of the service of that name, of another identity of the system, or
# of nobody in it where IDENTITY is empty.
make_certificate() {
  local name=$1 identity=${2-service/$1} file=$authority/$1.pem
  still_good "$file" 10 && return 0
  new_key >"$file.key"
  openssl req -new -key "$file.key" -sha256 -subj "/CN=$name" |
    openssl x509 -req -CA "$authority/ca.pem" -CAkey "$authority/ca.key" -days 30 -sha256 \
      -set_serial "0x$(openssl rand -hex 16)" -out "$file.crt" -extfile <(
        echo "basicConstraints=critical,CA:FALSE"
        echo "keyUsage=critical,digitalSignature"
        echo "extendedKeyUsage=serverAuth,clientAuth"
        echo "subjectAltName=${identity:+URI:spiffe://parcours/$identity,}DNS:$name.parcours.internal,DNS:localhost,IP:127.0.0.1"
      ) 2>/dev/null
  cat "$file.key" "$file.crt" >"$file.new"
  mv "$file.new" "$file"
  rm -f "$file.key" "$file.crt"
}

# make_authority: all of it, where it is missing or near its end.
make_authority() {
  local name umask_before
  authority=$state/authority
  umask_before=$(umask)
  umask 077
  mkdir -p "$authority"
  chmod 700 "$authority"
  make_ca
  for name in "${service_names[@]}"; do make_certificate "$name"; done
  make_certificate feed-reader feed-reader/gateway
  for name in gateway proxy; do make_certificate "$name" ""; done
  [ -s "$authority/signing-key.json" ] ||
    "$cli" token keygen --signing_key_file="$authority/signing-key.json" \
      --jwks_file="$authority/keys.json" >/dev/null
  [ -s "$authority/clients-key.jwk" ] ||
    "$cli" token keygen --signing_key_file="$authority/clients-key.jwk" \
      --jwks_file="$authority/clients-key.jwks" >/dev/null
  cat >"$authority/identity.txtpb.new" <<'CONFIG'
# Accepted only over databases created with --local or --simulation.
issuers {
  id: "local"
  issuer: "https://local.parcours.internal"
  audience: "parcours"
  jwks_file: "keys.json"
  installation_wide: true
  local: true
  allowed_roles: [
    ROLE_COORDINATOR, ROLE_ADMISSIONS, ROLE_ACCOUNTANT, ROLE_PEDAGOGICAL_DIRECTOR, ROLE_TRAINER,
    ROLE_TUTOR, ROLE_DISABILITY_CONTACT, ROLE_LEARNER, ROLE_EMPLOYER_CONTACT, ROLE_READER,
    ROLE_JURY_MEMBER, ROLE_CERTIFIER, ROLE_FUNDER, ROLE_STEERING_READER, ROLE_AUDITOR,
    ROLE_ADMINISTRATOR
  ]
}
# enrolment, for the programs of partners.
issuers {
  id: "clients"
  issuer: "parcours-enrolment"
  audience: "parcours"
  jwks_file: "clients-key.jwks"
  api_clients: true
}
CONFIG
  mv "$authority/identity.txtpb.new" "$authority/identity.txtpb"
  "$cli" token --as=administrator --subject=operator --valid_for=12h \
    --signing_key_file="$authority/signing-key.json" --out="$authority/token"
  umask "$umask_before"
  export PARCOURS_TOKEN_FILE=$authority/token
}

# authority_flags NAME: what the service NAME is given of it, one on a line.
authority_flags() {
  echo "--identity_file=$authority/identity.txtpb"
  if [ "$1" = enrolment ]; then
    echo "--token_signing_key_file=$authority/clients-key.jwk"
  fi
  echo "--tls_certificate_file=$authority/$1.pem"
  echo "--tls_key_file=$authority/$1.pem"
  echo "--tls_ca_file=$authority/ca.pem"
}

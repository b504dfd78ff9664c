#!/usr/bin/env bash
# Generates generated/ from the contract: JavaScript with declarations, so that there
# is nothing to build. PROTO is the contract, GOOGLE the protos that it imports,
# MODULES where npm has put the packages of package.json.
set -euo pipefail
cd "$(dirname "$0")"
PROTO=${PROTO:-../../../proto}
MODULES=${MODULES:-../../../node_modules}
GOOGLE=${GOOGLE:-$MODULES/google-proto-files}

rm -rf generated
mkdir generated
(cd "$PROTO" && find parcours -name '*.proto') |
  xargs protoc -I"$PROTO" -I"$GOOGLE" \
    --es_out=generated --es_opt=target=js+dts,import_extension=js \
    --plugin=protoc-gen-es="$MODULES/.bin/protoc-gen-es" \
    google/api/{annotations,field_behavior,http,resource}.proto \
    google/rpc/{code,error_details,status}.proto google/type/{date,timeofday}.proto

#!/usr/bin/env bash
# Generates generated/ from the contract: Debian's protobuf-compiler and
# protobuf-compiler-grpc do it. PROTO is the contract, GOOGLE the protos that it
# imports (the npm package google-proto-files, or github.com/googleapis/googleapis).
set -euo pipefail
cd "$(dirname "$0")"
PROTO=${PROTO:-../../../proto}
GOOGLE=${GOOGLE:-../../../node_modules/google-proto-files}

rm -rf generated
mkdir generated
(cd "$PROTO" && find parcours -name '*.proto') |
  xargs protoc -I"$PROTO" -I"$GOOGLE" --python_out=generated --grpc_python_out=generated \
    --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" \
    google/api/{annotations,field_behavior,http,resource}.proto \
    google/rpc/{code,error_details,status}.proto google/type/{date,timeofday}.proto

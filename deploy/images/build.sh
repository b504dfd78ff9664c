#!/usr/bin/env bash
# Builds the images: services, gateway, and nginx, redis and postgresql as Debian
# packages them. REQUIRES: make deps.
#
#   CONTAINER_ENGINE  podman (default where it is installed) or docker
#   IMAGES            before their names (default localhost/parcours)
#   TAG               after their names (default latest)
#   BASE              the Debian 12 image to build on
#                     (default docker.io/library/debian:bookworm-slim)
#   ONLY              names of those to build, by default all
set -euo pipefail
cd "$(dirname "$0")/../.."

engine=${CONTAINER_ENGINE:-$(command -v podman || command -v docker || true)}
[ -n "$engine" ] || { echo "images: neither podman nor docker is installed" >&2; exit 1; }
images=${IMAGES:-localhost/parcours}
tag=${TAG:-latest}
base=${BASE:-docker.io/library/debian:bookworm-slim}
only=" ${ONLY:-services gateway nginx redis postgresql} "

build=("$engine" build --build-arg BASE="$base")
# Podman alone looks for a newer base by itself, also where there is no registry.
case $(basename "$engine") in
  podman) build+=(--pull-never --format docker --network host) ;;
esac

# build_image NAME CONTEXT ARGUMENT...
build_image() {
  local name=$1 context=$2
  shift 2
  case $only in *" $name "*) ;; *) return 0 ;; esac
  echo "== $images/$name:$tag"
  "${build[@]}" --tag "$images/$name:$tag" "$@" "$context"
}

# The gateway's folder: its sources, what they need at run time and nothing else,
# and the Node.js of the lock file.
lay_out_gateway() {
  local out=build/images/gateway machine
  machine=$(uname -m)
  rm -rf "$out"
  mkdir -p "$out/app/clients/gateway" "$out/app/build"
  cp package.json package-lock.json "$out/app"
  cp -r clients/gateway/package.json clients/gateway/src "$out/app/clients/gateway"
  find "$out/app" -name '*.test.ts' -delete
  (cd "$out/app" && npm ci --omit=dev --omit=optional --no-audit --no-fund --loglevel=error \
    --workspace clients/gateway)
  npm run --silent contract -w clients/gateway
  cp -r build/contract "$out/app/build"
  cp "node_modules/node-linux-${machine/x86_64/x64}/bin/node" "$out/node"
}

build_image services . --file deploy/images/services.Containerfile
case $only in *" gateway "*) lay_out_gateway ;; esac
build_image gateway build/images/gateway --file deploy/images/gateway.Containerfile
for name in nginx redis postgresql; do
  build_image "$name" . --file deploy/images/backing.Containerfile --target "$name"
done
"$engine" images --filter "reference=$images/*:$tag"

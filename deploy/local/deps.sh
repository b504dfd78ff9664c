#!/usr/bin/env bash
# Installs what is missing on Debian 12: packages of the distribution, and the
# npm packages of package-lock.json. Does nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=(
  build-essential cmake ninja-build mold ccache pkg-config git python3 curl
  protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libgrpc++-dev libabsl-dev
  libhiredis-dev libpq-dev libsqlite3-dev libspdlog-dev nlohmann-json3-dev
  prometheus-cpp-dev libsodium-dev libicu-dev libqpdf-dev libseccomp-dev
  libcjose-dev libcurl4-openssl-dev libssl-dev openssl
  libgtest-dev libgmock-dev libbenchmark-dev
  clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14
  redis-server postgresql-15 tzdata python3-grpcio python3-protobuf faketime
  openjdk-17-jdk-headless libgoogle-gson-java
)
# Node.js may come from elsewhere than Debian.
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
  echo "deps: installing ${missing[*]}"
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# The copy of the lock is written last: the mark of a finished installation.
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  echo "deps: installing the npm packages of package-lock.json"
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed-lock.json
fi
echo "deps: all there"

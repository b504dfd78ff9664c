#!/usr/bin/env bash
# Compiles the program into generated/: a JDK 17 and Debian's libgoogle-gson-java.
set -euo pipefail
cd "$(dirname "$0")"
GSON=${GSON:-/usr/share/java/gson.jar}
rm -rf generated
javac -Xlint:all -Werror -cp "$GSON" -d generated ./*.java

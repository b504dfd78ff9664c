#!/bin/sh
# The server of bare_node.mjs, by the Node that the project installs.
exec node_modules/.bin/node tests/benchmarks/bare_node.mjs "$@"

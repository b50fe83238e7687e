#!/bin/sh
# Runs the unit tests of the browser side under Node's own test runner. Usage: test.sh [FOLDER]...
# Needs: esbuild, node 18 or later. Prints the TAP summary; exit status not 0 when a test fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$here/src"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# Browsers have it everywhere, Node from 19 on.
crypto="import {webcrypto as browsers_crypto} from 'node:crypto'; globalThis.crypto ??= browsers_crypto;"
n=0
for file in $(find "$@" -name '*_test.ts' | sort); do
  n=$((n + 1))
  esbuild "$file" --bundle --platform=node --target=node18 --format=esm --log-level=warning \
    --banner:js="$crypto" --outfile="$out/$n-$(basename "$file" .ts).test.mjs"
done
[ "$n" -gt 0 ] || { echo "no tests found" >&2; exit 1; }
node --test "$out"/*.test.mjs

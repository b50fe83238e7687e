#!/bin/sh
# Unit tests of the page and of the client library. Needs esbuild and node 18 or later.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../clients/js/test.sh" "$here/src" "$here/../clients/js/src"

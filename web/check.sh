#!/bin/sh
# Checks the types of the page and of clients/js. Needs Debian's node-typescript (tsc 4.8 or later).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tsc -p "$here"

#!/bin/sh
# Builds the chat page into OUTDIR: index.html, parley.js, parley.css, and sockjs-client beside it. Needs esbuild only.
set -eu
out=${1:?usage: build.sh OUTDIR}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
esbuild "$here/src/main.ts" --bundle --minify --charset=utf8 --target=es2020 --format=iife --log-level=warning --outfile="$out/parley.js"
esbuild "$here/src/style/parley.css" --bundle --minify --charset=utf8 --log-level=warning --outfile="$out/parley.css"
cp "$here/src/index.html" "$out/index.html"
cp "$here/vendor/sockjs-1.6.1.min.js" "$out/"

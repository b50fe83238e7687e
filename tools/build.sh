#!/usr/bin/env bash
# The release program: build/release/bin/parley.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools/setup.sh build
build_preset release parley

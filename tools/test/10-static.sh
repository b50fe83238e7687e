#!/usr/bin/env bash
# What needs no build: layout, format, scripts, and the browser side under Node.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
suite layout 60 python3 tests/layout/layout_test.py
suite bench 60 tests/bench/runner_test.py
one_result format 120 tools/fmt.sh --check
one_result shellcheck 60 bash -c 'git ls-files -z "*.sh" .ci/run | xargs -0 shellcheck --severity=warning --exclude=SC1090,SC1091'
one_result 'web types' 120 web/check.sh
suite web 300 tools/test/node_results.sh web/test.sh

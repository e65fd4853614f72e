#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# bench/micro.sh [OPTION...]: builds the release and runs the micro-benchmarks of
# bench/micro. OPTIONs are those of Google Benchmark. Examples:
#   bench/micro.sh --benchmark_list_tests
#   bench/micro.sh --benchmark_filter='^(commit|recover)/'
#   bench/micro.sh --benchmark_repetitions=5 --benchmark_out=micro.json
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  sed -n '5,9p' "$0" | cut -c3-
  exit 0
fi

{
  script/bootstrap
  # Whether it warns is what preset dev is for: at -O3 GCC cries wolf.
  cmake --preset release -D FANFARE_BUILD_BENCHMARKS=ON \
    -D FANFARE_WARNINGS_AS_ERRORS=OFF
  cmake --build --preset release --target fanfare_micro --parallel "$(nproc)"
} >&2
# Stores are made next to the build: /tmp may be memory, where a commit waits for
# no disk.
export TMPDIR=${TMPDIR:-$PWD/build/release/bench}
exec build/release/bench/fanfare_micro "$@"

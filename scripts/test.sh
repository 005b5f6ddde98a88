#!/usr/bin/env bash
# Sets up, builds and runs all tests through ctest.
#
#   scripts/test.sh [--cuda] [--preset release|debug|asan|tsan] [ctest options]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
setup=()
rest=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    --cuda) setup+=(--cuda) ;;
    --preset) preset="$2"; shift ;;
    *) rest+=("$1") ;;
  esac
  shift
done
scripts/setup.sh "${setup[@]}"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
ctest --preset "$preset" -j "$(nproc)" "${rest[@]}"

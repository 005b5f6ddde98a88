#!/usr/bin/env bash
# clang-format over all sources; --check only reports.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
[ "${1:-}" = --check ] && mode=(--dry-run --Werror)
git ls-files '*.h' '*.cc' '*.cu' '*.cuh' | xargs clang-format "${mode[@]}"

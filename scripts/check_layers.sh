#!/usr/bin/env bash
# A folder may include only itself and the folders before it. Torch, MPI, YAML, Arrow and CUDA headers stay where they belong.
set -euo pipefail
cd "$(dirname "$0")/.."

order=(core kernels policy verifiers rollout entropy rl)
faults=0
report() { echo "layer check: $1" >&2; faults=$((faults + 1)); }

for index in "${!order[@]}"; do
  folder="${order[$index]}"
  for later in "${order[@]:$((index + 1))}"; do
    while read -r hit; do report "$hit ($folder must not include $later)"; done < \
      <(grep -rnE "^#include \"$later/" "$folder" --include='*.h' --include='*.cc' --include='*.cu' --include='*.cuh' || true)
  done
done

# header pattern | files that may include it
confined=(
  '<(mpi)\.h>|^core/comm_mpi'
  '<yaml-cpp/|^core/config'
  '<(arrow|parquet)/|^rollout/parquet'
  '<unicode/|^policy/unicode'
  '<(ATen|torch|c10)/|^(kernels|policy|rollout|entropy|rl)/'
)
for rule in "${confined[@]}"; do
  header="${rule%%|^*}"
  allowed="^${rule#*|^}"
  while IFS=: read -r file line text; do
    [[ "$file" =~ $allowed ]] || report "$file:$line: $text is not included from here"
  done < <(grep -rnE "^#include $header" "${order[@]}" --include='*.h' --include='*.cc' || true)
done
# CUDA kernels and launchers include no Torch header; verifiers and core none either (rule above).
while read -r hit; do report "$hit (kernels on the device include no Torch header)"; done < \
  <(grep -nE '^#include <(ATen|torch|c10)/' kernels/*_cuda.cu kernels/*_cuda.h kernels/cuda/* 2>/dev/null || true)

# Every test file is built: the folders' globs in tests/CMakeLists.txt cover tests/FOLDER/*_test.cc only.
while read -r file; do
  [[ "$file" =~ ^tests/(core|kernels|policy|verifiers|rollout|entropy|rl|distributed|e2e)/[a-z0-9_]+_test\.(cc|cu)$ ]] ||
    report "$file is a test that no target builds"
done < <(find tests -name '*_test.cc' -o -name '*_test.cu')

if [ "$faults" -gt 0 ]; then exit 1; fi
echo "layer check: ok"

#!/usr/bin/env bash
# No file for one instruction set may define what the linker could keep for all (kernels/simd/vec.h): not even without
# optimisation, where what is inline is a function.
set -euo pipefail
cd "$(dirname "$0")/.."
cxx="${1:-g++}"
[ "$(uname -m)" = x86_64 ] || { echo "simd check: nothing to check on $(uname -m)"; exit 0; }

object=$(mktemp)
trap 'rm -f "$object"' EXIT
faults=0
check() {  # NAME, then flags
  "$cxx" -std=c++20 -O0 -I. "${@:2}" -c "kernels/cpu_kernels_$1.cc" -o "$object"
  while read -r _ _ symbol; do
    echo "simd check: cpu_kernels_$1.cc defines $symbol for the whole program" >&2
    faults=$((faults + 1))
  done < <(nm -C "$object" | grep -E '^[0-9a-f]+ [Wu] ' || true)
}
avx512=(-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma)
check avx2 -mavx2 -mfma
check avx512 "${avx512[@]}"
check avx512bf16 "${avx512[@]}" -mavx512bf16
check amx "${avx512[@]}"

if [ "$faults" -gt 0 ]; then exit 1; fi
echo "simd check: ok"

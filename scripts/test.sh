#!/usr/bin/env bash
# Sets up, builds and runs all tests through ctest.
#
#   scripts/test.sh [--cuda|--light] [--preset release|debug|asan|tsan] [ctest options]
#
# --cuda builds with LibTorch's CUDA part, --light without, whatever the build folder held before; with neither, CMake takes what
# is there.
#
# The CUDA kernels' tests run on a GPU, or on the emulator that COVRL_PTXSIM names (scripts/build_ptxsim.sh); else they skip.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
torch_cuda=auto
setup=()
rest=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    --cuda) setup+=("$1"); torch_cuda=ON ;;
    --light) setup+=("$1"); torch_cuda=OFF ;;
    --preset) preset="$2"; shift ;;
    *) rest+=("$1") ;;
  esac
  shift
done
scripts/setup.sh "${setup[@]}"
cmake --preset "$preset" -DCOVRL_PTXSIM="${COVRL_PTXSIM:-}" -DCOVRL_TORCH_CUDA="$torch_cuda" >/dev/null
cmake --build --preset "$preset"
ctest --preset "$preset" -j "$(nproc)" "${rest[@]}"

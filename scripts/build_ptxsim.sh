#!/usr/bin/env bash
# Builds the PTX emulator, which runs the CUDA tests where there is no GPU, and prints the path of its library.
#
#   scripts/build_ptxsim.sh [SOURCE_DIR]      SOURCE_DIR: ../shared/tools/ptxsim beside the checkout unless given
#
#   cmake --preset release -DCOVRL_PTXSIM="$(scripts/build_ptxsim.sh)"
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source_dir=${1:-$root/../shared/tools/ptxsim}
build_dir=$root/build/ptxsim

if [[ ! -f $source_dir/Makefile ]]; then
  echo "build_ptxsim.sh: no emulator source in $source_dir; give its folder as the argument" >&2
  exit 2
fi

mkdir -p "$build_dir"
cp -R --no-preserve=mode -u "$source_dir/." "$build_dir/"
make -C "$build_dir" -j "$(nproc)" libptxsim.so >&2
echo "$build_dir/libptxsim.so"

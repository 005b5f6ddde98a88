#!/usr/bin/env bash
# What the CUDA kernels move, counted by the PTX emulator: the table of docs/kernels.md.
#
#   scripts/kernel_figures.sh PTXSIM [bench_cuda_kernels]      PTXSIM: libptxsim.so (scripts/build_ptxsim.sh prints its path)
#
# "moved": sectors of 32 bytes that loads, stores and atomics touch, without any cache, divided by the least possible bytes; "load" and
# "store": bytes asked for, divided by the bytes of the sectors touched.
set -euo pipefail
cd "$(dirname "$0")/.."

ptxsim=${1:?usage: kernel_figures.sh PTXSIM [bench_cuda_kernels]}
program=${2:-build/release/tests/bench/bench_cuda_kernels}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

LD_PRELOAD=$ptxsim PTXSIM_ABORT=1 PTXSIM_STATS=$folder/launches.json "$program" --once > "$folder/cases.tsv"
jq -R -s -r --slurpfile launches "$folder/launches.json" '
  def percent($part; $sectors): if $sectors == 0 then "" else "\((1000 * $part / (32 * $sectors) | round) / 10) %" end;
  reduce (split("\n")[] | select(. != "") | split("\t")) as $case ({place: 0, lines: []};
    ($case[2] | tonumber) as $count
    | ($launches[0][.place : .place + $count]) as $own
    | ($own | map(.global_load_sectors + .global_store_sectors + .global_atomic_sectors) | add) as $sectors
    | .place += $count
    | .lines += ["| \($case[0]) | \($case[1]) | \((100 * 32 * $sectors / ($case[3] | tonumber) | round) / 100) | "
        + percent($own | map(.global_load_bytes) | add; $own | map(.global_load_sectors) | add) + " | "
        + percent($own | map(.global_store_bytes) | add; $own | map(.global_store_sectors) | add) + " |"])
  | "| kernel | shape | moved / least | load | store |", "|---|---|---|---|---|", .lines[]' "$folder/cases.tsv"

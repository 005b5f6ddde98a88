#!/usr/bin/env bash
# The quickstart run over several seeds: sampled accuracy before and after, mean and spread, and one page that compares them.
#
#   scripts/one_shot_seeds.sh [SEED ...]      default: 1 2 3
set -euo pipefail
cd "$(dirname "$0")/.."
covrl="${COVRL:-build/release/bin/covrl}"
seeds=("$@")
[ "${#seeds[@]}" -gt 0 ] || seeds=(1 2 3)

runs=()
for seed in "${seeds[@]}"; do
  run="runs/one_shot_seed_$seed"
  "$covrl" train --config configs/tiny/one_shot_grpo.yaml "trainer.seed=$seed" "trainer.run_dir=$run" trainer.resume=never
  runs+=("$run")
done

# First and last value of each accuracy, per run; then mean and spread (sample standard deviation) over the runs.
awk '
  function value(line, name,   at, rest) {
    at = index(line, "\"" name "\":")
    if (!at) return "none"
    rest = substr(line, at + length(name) + 3)
    match(rest, /^[-+0-9.eE]+/)
    return substr(rest, 1, RLENGTH) + 0
  }
  FNR == 1 { ++runs }
  {
    line = $0
    while (match(line, /"val-core\/[^"]*"/)) {
      name = substr(line, RSTART + 1, RLENGTH - 2)
      line = substr(line, RSTART + RLENGTH)
      if (!(name in known)) { known[name] = 1; order[++count] = name }
      v = value($0, name)
      if (!((name, runs) in first)) first[name, runs] = v
      last[name, runs] = v
    }
  }
  END {
    printf "%-36s %18s %18s\n", "accuracy over " runs " seeds", "before", "after"
    for (i = 1; i <= count; ++i) {
      name = order[i]; a = b = aa = bb = 0
      for (r = 1; r <= runs; ++r) { x = first[name, r]; y = last[name, r]; a += x; b += y; aa += x * x; bb += y * y }
      a /= runs; b /= runs
      sa = runs > 1 ? sqrt((aa - runs * a * a > 0 ? aa - runs * a * a : 0) / (runs - 1)) : 0
      sb = runs > 1 ? sqrt((bb - runs * b * b > 0 ? bb - runs * b * b : 0) / (runs - 1)) : 0
      printf "%-36s %8.1f +- %4.1f %% %8.1f +- %4.1f %%\n", substr(name, 10), 100 * a, 100 * sa, 100 * b, 100 * sb
    }
  }' "${runs[@]/%//metrics.jsonl}"

arguments=()
for run in "${runs[@]}"; do arguments+=(--run "$run"); done
"$covrl" report "${arguments[@]}" --output runs/one_shot_seeds.html

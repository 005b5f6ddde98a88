#!/usr/bin/env bash
# Entropy control compared in the small world of data/tiny: GRPO, clip-higher, entropy bonus, Clip-Cov and KL-Cov, on the full
# training set and on one example, over several seeds. Writes runs/entropy_study/{full,one_shot}.{html,md} (every method is the mean of
# its seeds) and, for the first seed of each, what `covrl entropy` says.
#
#   scripts/entropy_study.sh [SEED ...]      default: 1 2 3
#
# JOBS runs go side by side, one thread each (default: the number of cores). Runs that are complete are not repeated.
# METHODS and SETTINGS choose a part: METHODS="grpo kl_cov" SETTINGS=full scripts/entropy_study.sh 1
set -euo pipefail
cd "$(dirname "$0")/.."
export COVRL="${COVRL:-build/release/bin/covrl}"
export STUDY="${STUDY:-runs/entropy_study}"
seeds=("$@")
[ "${#seeds[@]}" -gt 0 ] || seeds=(1 2 3)
read -ra methods <<< "${METHODS:-grpo clip_higher entropy_bonus clip_cov kl_cov}"
read -ra settings <<< "${SETTINGS:-full one_shot}"

train() {  # SETTING METHOD SEED
  local run="$STUDY/$1/$2/seed_$3" overrides=()
  [ "$1" = full ] || overrides=(data.train_files=[data/tiny/one_shot.jsonl] data.repeat=16)
  [ ! -f "$run/report.html" ] || return 0
  mkdir -p "$run"
  echo "$run"
  OMP_WAIT_POLICY=passive "$COVRL" train --config "configs/tiny/$2.yaml" "trainer.seed=$3" "trainer.run_dir=$run" trainer.num_threads=1 \
    "${overrides[@]}" > "$run.log" 2>&1 || { echo "$run failed:"; tail -n 5 "$run.log"; return 1; }
}
export -f train

for seed in "${seeds[@]}"; do
  for setting in "${settings[@]}"; do
    for method in "${methods[@]}"; do printf '%s %s %s\n' "$setting" "$method" "$seed"; done
  done
done | xargs -P "${JOBS:-$(nproc)}" -L 1 bash -c 'train "$@"' _

for setting in "${settings[@]}"; do
  runs=()
  for method in "${methods[@]}"; do
    folders=("${seeds[@]/#/$STUDY/$setting/$method/seed_}")
    runs+=(--run "$method=$(IFS=,; echo "${folders[*]}")")
    "$COVRL" entropy --run "${folders[0]}" > "${folders[0]}/entropy.txt"
  done
  "$COVRL" report "${runs[@]}" --output "$STUDY/$setting.html" --markdown "$STUDY/$setting.md"
  cat "$STUDY/$setting.md"
done

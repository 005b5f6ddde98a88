#!/usr/bin/env bash
# One training example in the small world of data/tiny: how many, which one, and what of the method it takes. Every question is a file
# of configs/tiny/study. Writes runs/one_shot_study/index.html, one page with all of them, and study.md with its tables.
#
#   scripts/one_shot_study.sh [OVERRIDE ...]
#
# JOBS runs go side by side, one thread each (default: the number of cores). Interrupted, the same command goes on from there.
set -euo pipefail
cd "$(dirname "$0")/.."
covrl="${COVRL:-build/release/bin/covrl}"
if [ -z "${COVRL:-}" ]; then
  cmake --preset release > /dev/null
  cmake --build --preset release --target covrl
fi
study=runs/one_shot_study
questions=configs/tiny/study
common=(--config "$questions/base.yaml" "sweep.jobs=${JOBS:-$(nproc)}" "$@")

# The run whose history chooses the examples: it is also the full set of the questions.
"$covrl" sweep "${common[@]}" --sweep "$questions/history.yaml"

choose() {  # NAME, then words of covrl select
  local output="$study/examples/$1.jsonl"
  shift
  [ -f "$output" ] || "$covrl" select --data data/tiny/train.jsonl --output "$output" "$@" > "${output%.jsonl}.txt"
}
mkdir -p "$study/examples"
history=(--history "$study/full/seed_1")
for count in 1 2 4 16; do choose "top_$count" "${history[@]}" --method std --top "$count"; done
choose easiest "${history[@]}" --method easiest --top 1
choose hardest "${history[@]}" --method hardest --top 1
choose random_a --method random --seed 1 --top 1
choose random_b --method random --seed 2 --top 1

"$covrl" sweep "${common[@]}" \
  --sweep "$questions/shots.yaml" \
  --sweep "$questions/example.yaml" \
  --sweep "$questions/grpo_ppo.yaml" \
  --sweep "$questions/loss_terms.yaml" \
  --sweep "$questions/label_noise.yaml" \
  --sweep "$questions/entropy_coef.yaml" \
  --sweep "$questions/temperature.yaml" \
  --sweep "$questions/format_reward.yaml"

#!/usr/bin/env bash
# Makes data/tiny anew: problems, tokenizer and corpus by the generator, the base model by `covrl sft`. The same files come out
# every time; about six minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
bin="${COVRL_BIN:-build/release/bin}"

"$bin/covrl_make_tiny_world" --out data/tiny --corpus runs/tiny_world/corpus.jsonl
"$bin/covrl" sft --config configs/tiny/sft.yaml trainer.resume=never
rm -rf data/tiny/model
cp -r runs/tiny_world/sft/checkpoints/global_step_2343/actor/huggingface data/tiny/model
"$bin/covrl" eval --model data/tiny/model --benchmark data/tiny/test.jsonl --benchmark data/tiny/cross_domain.jsonl \
  --samples 4 --temperature 1 --max-new-tokens 128 --verifier math_boxed

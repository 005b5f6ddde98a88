#!/usr/bin/env bash
# From a fresh machine to a 1-shot RLVR run: set-up, build, and a small language model that learns from one example.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target covrl
build/release/bin/covrl train --config configs/tiny/one_shot_grpo.yaml trainer.run_dir=runs/quickstart \
  trainer.resume=never "$@"

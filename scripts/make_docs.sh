#!/usr/bin/env bash
# Writes the generated documentation, docs/config.md, from the program.
set -euo pipefail
cd "$(dirname "$0")/.."
covrl="${COVRL:-build/release/bin/covrl}"
{
  printf '# Configuration of `covrl train`\n\n'
  "$covrl" config --docs
  printf '\n# Configuration of `covrl sft`\n\n'
  "$covrl" config --docs --command sft
  printf '\n# Configuration of `covrl sweep`\n\n'
  "$covrl" config --docs --command sweep
} > docs/config.md

#!/usr/bin/env bash
# Fuzzes the math verifier: builds it with libFuzzer and the address and undefined-behaviour sanitizers into build/fuzz, and
# runs RUNS inputs that grow from the labelled cases. Fails where a promise of tests/fuzz/verify_checks.h is broken; the input
# that breaks it then stands in build/fuzz. What a session finds new stays in build/fuzz/corpus for the next.
#
#   scripts/fuzz.sh [RUNS] [libFuzzer options]     20,000 runs, about 10 seconds, without a number
#
# Needs clang with libFuzzer (Debian: clang, libclang-rt-14-dev or later), CMake, Ninja, jq, GMP and FLINT.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=20000
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then
  runs="$1"
  shift
fi
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
    clang++ -x c++ -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null; then
  echo "fuzz.sh: clang++ with libFuzzer is missing (Debian: apt-get install clang libclang-rt-dev)" >&2
  exit 1
fi

build=build/fuzz
cmake -S tests/fuzz -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ >/dev/null
cmake --build "$build"

# One file a case: the gold answer, a line end, a response. Long responses say no more than short ones.
cases=tests/data/verifier/cases.jsonl
[ -e ../shared/verifier/cases.jsonl ] && cases=../shared/verifier/cases.jsonl
seeds="$build/seeds"
rm -rf "$seeds"
mkdir -p "$seeds" "$build/corpus"
jq -j 'select((.completion | length) <= 400 and (.gold | contains("\n") | not)) |
    .gold + "\n" + .completion + "\u001e", .gold + "\n\\boxed{" + .gold + "}\u001e"' "$cases" |
  awk -v RS='\036' -v folder="$seeds" '{ file = folder "/" NR; printf "%s", $0 > file; close(file) }'

"$build/verify_fuzz" -runs="$runs" -max_len=200 -timeout=5 -entropic=0 -dict=tests/fuzz/verify.dict \
  -artifact_prefix="$build/" -print_final_stats=1 "$@" "$build/corpus" "$seeds"

#!/usr/bin/env bash
# Brings the data that the presets name, from where its authors published it. Goes on where an interrupted download stopped;
# what is there and whole is left alone.
#
#   scripts/fetch_data.sh one_shot         the 1-shot rows and DSR-sub (verl's parquet)            -> data/one_shot
#   scripts/fetch_data.sh math             the 7500 training problems of MATH                      -> data/math
#   scripts/fetch_data.sh dapo_math_17k    DAPO-Math-17k, each problem once, without instruction   -> data/dapo_math_17k
#   scripts/fetch_data.sh benchmarks       MATH500, AIME24/25, AMC23, Minerva, OlympiadBench, Omni-MATH -> data/benchmarks
#   scripts/fetch_data.sh arc              ARC-Easy and ARC-Challenge, the test questions           -> data/arc
#
# Several words, or all. COVRL_GITHUB and COVRL_HUB replace the addresses of the servers (a mirror, or file:///...), COVRL_DATA
# the folder. Needs curl and git; math and benchmarks jq as well. The problems have licences of their own: see docs/reproducing.md.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly GITHUB="${COVRL_GITHUB:-https://raw.githubusercontent.com}"
readonly HUB="${COVRL_HUB:-https://huggingface.co}"
readonly DATA="${COVRL_DATA:-data}"
readonly ONE_SHOT=ypwang61/One-Shot-RLVR/21ed529ec90002597c92aee957af1dd8166bb66c
readonly EVALUATION=$ONE_SHOT/Qwen2.5-Eval/evaluation/data
readonly OMNI_MATH=KbsdJames/omni-math-rule/4793415ef37d31c9cdb4e5b82dbe172f76f8cf08/evaluation/data

fail() { echo "fetch_data.sh: $1" >&2; exit 1; }

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || fail "$program is needed: apt-get install $program"
  done
}

# whole FILE BLOB: is it the file of that git blob?
whole() { [ -f "$1" ] && [ "$(git hash-object --no-filters "$1")" = "$2" ]; }

# download URL FILE
download() {
  curl --fail --location --show-error --silent --retry 3 --connect-timeout 20 --continue-at - --output "$2" "$1" ||
    fail "cannot get $1 (curl exit status $?): is the network there? COVRL_GITHUB and COVRL_HUB name other servers; run this again to go on"
}

# fetch PATH BLOB FILE: a file of GitHub, which is what it should be or is refused.
fetch() {
  whole "$3" "$2" && return
  mkdir -p "$(dirname "$3")"
  whole "$3.part" "$2" || download "$GITHUB/$1" "$3.part"
  if ! whole "$3.part" "$2"; then
    rm -f "$3.part"
    fail "$GITHUB/$1 is not the file of git blob $2 that was published; run this again, or look at what that server sends"
  fi
  mv "$3.part" "$3"
  echo "fetch_data: $3"
}

one_shot() {
  local name
  while read -r name blob; do
    fetch "$ONE_SHOT/data/train/one_shot_rlvr/$name.parquet" "$blob" "$DATA/one_shot/$name.parquet"
  done <<'END'
pi1_r128 94e10d72fb6d4c9f01941b0e9cb3e83d6bb5fe69
pi2_r128 63a5a67b1f811d4da6ff23686c5c1e4221bd95e9
pi13_r128 ff4f913fe47a7b6d23ac66917215b8cd6e723943
pi1209_r128 65155d5cab89ea2f75d0eefaf011e2946851682f
merge_pi1_pi13_r128 9734b535dd723ed4bb250eb350868f186c7ea12b
merge_pi1_pi2_pi13_pi1209_r128 7bd484333b551b92864392d51bd605a0534812d0
dsr_sub 8199b69133f275ce4e54e33fe12379615e56cde6
END
  fetch "$ONE_SHOT/data/acc_step_500.json" a84b01e4dbc78749bf75a98f314f21e0644f2274 "$DATA/one_shot/acc_step_500.json"
}

# problems NAME SOURCE FILE ROWS: {id, problem, answer} from the sources' various columns. The answer is theirs, the first of
# OlympiadBench's list, or what the last box of the solution holds.
problems() {
  need jq
  jq -nc --arg name "$1" '
    def last_box: split("\\boxed{") | if length < 2 then null else last | explode
      | reduce .[] as $c ({depth: 1, text: []};
          if .depth == 0 then . else
            (if $c == 123 then .depth += 1 elif $c == 125 then .depth -= 1 else . end)
            | if .depth == 0 then . else .text += [$c] end
          end)
      | .text | implode end;
    def text: if type == "number" and floor == . then floor | tostring else tostring end;
    [inputs] | to_entries[] | .key as $row | .value
      | {id: "\($name)-\($row)", problem: (.problem // .question),
         answer: (if .final_answer then .final_answer[0] | gsub("\\$,\\$"; ", ") | gsub("\\$"; "")
                  elif .answer != null then .answer | text
                  else .solution | last_box end)}' "$2" > "$3.tmp"
  local rows
  rows=$(jq -n '[inputs | select(.problem != null and .answer != null)] | length' "$3.tmp")
  [ "$rows" = "$4" ] || fail "$2: $rows problems with an answer, expected $4"
  mv "$3.tmp" "$3"
  echo "fetch_data: $3, $rows problems"
}

benchmarks() {
  local name blob rows source
  while read -r name rows blob; do
    source=$EVALUATION
    [ "$name" != omni_math_rule ] || source=$OMNI_MATH
    fetch "$source/$name/test.jsonl" "$blob" "$DATA/benchmarks/source/$name.jsonl"
    problems "$name" "$DATA/benchmarks/source/$name.jsonl" "$DATA/benchmarks/$name.jsonl" "$rows"
  done <<'END'
math500 500 2376b9a194b46c0790e197c91b7249e5f88ac09b
aime24 30 bb72e176e8d30c09cd67037e17cfc41e6ff48f70
aime25 30 a5f37a44b1106c28ff4391262be1fda65783d120
amc23 40 6894ad7c49a0b3a64210af32954f4d049d934ea0
minerva_math 272 123c5cd351cac2b8ead5413bc084629d7ff651de
olympiadbench 675 ec36280b1de8f5bbee92da696c2ae84f5f6e6beb
omni_math_rule 2821 a793db0d0076592c0d0538d9c1d644ad82b333ee
END
}

math() {
  fetch "$EVALUATION/math/train.jsonl" 47bc5462da8374bdcf53a7339bd48a7e28567676 "$DATA/math/source/train.jsonl"
  problems math "$DATA/math/source/train.jsonl" "$DATA/math/train_7500.jsonl" 7500
}

is_parquet() { [ -f "$1" ] && [ "$(head -c 4 "$1")$(tail -c 4 "$1")" = PAR1PAR1 ]; }

# hub_parquet PATH FILE: a parquet file of the hub, of which no checksum is known here, so that only its form is checked.
hub_parquet() {
  is_parquet "$2" && return
  mkdir -p "$(dirname "$2")"
  is_parquet "$2.part" || download "$HUB/datasets/$1" "$2.part"
  is_parquet "$2.part" || fail "$2.part is not a whole parquet file; remove it and run this again"
  mv "$2.part" "$2"
  echo "fetch_data: $2"
}

arc() {
  hub_parquet allenai/ai2_arc/resolve/main/ARC-Easy/test-00000-of-00001.parquet "$DATA/arc/arc_easy.parquet"
  hub_parquet allenai/ai2_arc/resolve/main/ARC-Challenge/test-00000-of-00001.parquet "$DATA/arc/arc_challenge.parquet"
}

# The published set repeats each problem a hundred times inside an instruction to answer without a box; this copy of it has each
# once and bare, to which the presets append theirs.
dapo_math_17k() {
  hub_parquet open-r1/DAPO-Math-17k-Processed/resolve/main/all/train-00000-of-00001.parquet "$DATA/dapo_math_17k/train.parquet"
}

[ "$#" -gt 0 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
need curl git
for set in "$@"; do
  case "$set" in
    one_shot|math|dapo_math_17k|benchmarks|arc) "$set" ;;
    all) one_shot; math; dapo_math_17k; benchmarks; arc ;;
    *) echo "fetch_data.sh: unknown set '$set'; known: one_shot, math, dapo_math_17k, benchmarks, arc, all" >&2; exit 2 ;;
  esac
done

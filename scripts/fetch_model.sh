#!/usr/bin/env bash
# Brings a model of the presets as its authors published it, into models/NAME. Goes on where an interrupted download stopped;
# files that are there and whole are left alone.
#
#   scripts/fetch_model.sh Qwen2.5-Math-1.5B
#   scripts/fetch_model.sh --no-weights Qwen2.5-7B     configuration and tokenizer alone: enough for covrl train --dry-run
#
# Known names: Qwen2.5-1.5B, Qwen2.5-7B, Qwen2.5-32B, Qwen2.5-Math-1.5B, Qwen2.5-Math-1.5B-Instruct, Qwen2.5-Math-7B,
# DeepSeek-R1-Distill-Qwen-1.5B, Llama-3.2-3B-Instruct (accept its licence on the hub and set HF_TOKEN); or OWNER/NAME.
# COVRL_HUB replaces the address of the hub (a mirror, or file:///...), COVRL_REVISION the branch or commit (main),
# COVRL_MODELS the folder (models). Needs curl and sha256sum.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly HUB="${COVRL_HUB:-https://huggingface.co}"
readonly REVISION="${COVRL_REVISION:-main}"
readonly MODELS="${COVRL_MODELS:-models}"

fail() { echo "fetch_model.sh: $1" >&2; exit 1; }
usage() { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }

weights=yes
name=""
for word in "$@"; do
  case "$word" in
    --no-weights) weights=no ;;
    -*) echo "fetch_model.sh: unknown option '$word'; known: --no-weights" >&2; exit 2 ;;
    *) [ -z "$name" ] || usage; name="$word" ;;
  esac
done
[ -n "$name" ] || usage
case "$name" in
  */*) repository="$name" ;;
  Qwen2.5-*) repository="Qwen/$name" ;;
  DeepSeek-R1-*) repository="deepseek-ai/$name" ;;
  Llama-3.2-*) repository="meta-llama/$name" ;;
  *) echo "fetch_model.sh: unknown model '$name'; give OWNER/NAME, or one of the names that this prints without words" >&2; exit 2 ;;
esac
readonly folder="$MODELS/${repository##*/}"
readonly base="$HUB/$repository/resolve/$REVISION"
for program in curl sha256sum; do
  command -v "$program" >/dev/null 2>&1 || fail "$program is needed"
done

request=(curl --fail --silent --show-error --retry 3 --connect-timeout 20)
[ -z "${HF_TOKEN:-}" ] || request+=(--header "Authorization: Bearer $HF_TOKEN")

# offered FILE: size and SHA-256 that the hub states for a large file; nothing where it states none.
offered() {
  "${request[@]}" --head "$base/$1" 2>/dev/null | tr -d '\r"' | awk -F': ' '
    tolower($1) == "x-linked-size" { size = $2 }
    tolower($1) == "x-linked-etag" { hash = $2 }
    END { if (size != "" && length(hash) == 64) print size, hash }' || true
}

# whole FILE SIZE HASH
whole() { [ -f "$1" ] && [ "$(stat -c %s "$1")" = "$2" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$3" ]; }

# fetch FILE [optional]: 1 when it is optional and not there.
fetch() {
  local file="$folder/$1" size="" hash="" status=0
  read -r size hash < <(offered "$1") || true
  if [ -f "$file" ] && { [ -z "$hash" ] || whole "$file" "$size" "$hash"; }; then return; fi
  [ -n "$hash" ] || rm -f "$file.part"  # small: from the start
  if [ -z "$hash" ] || ! whole "$file.part" "$size" "$hash"; then
    "${request[@]}" --location --continue-at - --output "$file.part" "$base/$1" 2>"$folder/.curl" || status=$?
  fi
  if [ "$status" -ne 0 ]; then
    # 22: the hub's answer was an error, such as 404; 37: the same of file://.
    if [ "${2:-}" = optional ] && { [ "$status" -eq 22 ] || [ "$status" -eq 37 ]; }; then return 1; fi
    fail "cannot get $base/$1 ($(cat "$folder/.curl")): is the network there, and the model open to you (HF_TOKEN)? COVRL_HUB names another server; run this again to go on"
  fi
  if [ -n "$hash" ] && ! whole "$file.part" "$size" "$hash"; then
    rm -f "$file.part"
    fail "$base/$1 has not the size $size and SHA-256 $hash that the hub states; run this again"
  fi
  mv "$file.part" "$file"
  echo "fetch_model: $file${hash:+, checked}"
}

mkdir -p "$folder"
fetch config.json
fetch tokenizer.json
fetch tokenizer_config.json
fetch generation_config.json optional || true
fetch chat_template.jinja optional || true
if [ "$weights" = yes ]; then
  if fetch model.safetensors.index.json optional; then
    for shard in $(grep -oE '"[^"/]+\.safetensors"' "$folder/model.safetensors.index.json" | tr -d '"' | sort -u); do
      fetch "$shard"
    done
  else
    fetch model.safetensors
  fi
fi
rm -f "$folder/.curl"
echo "fetch_model: $folder is ready$([ "$weights" = yes ] || echo " (no weights)")"

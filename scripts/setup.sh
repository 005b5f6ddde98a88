#!/usr/bin/env bash
# Brings everything covrl needs: Debian packages through apt where it may, and LibTorch and Arrow from their PyPI wheels into
# .deps (a folder of headers and libraries; no Python runs). Idempotent; asks nothing.
#
#   scripts/setup.sh           light: LibTorch's CPU part (1.4 GB)   - the default without a GPU
#   scripts/setup.sh --cuda    whole: LibTorch with its CUDA libraries (6 GB) - the default with a GPU
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TORCH=2.15.0 PYARROW=26.0.1 CUDA_RUNTIME=13.2.86 CUPTI=13.2.86
readonly DEPS="${COVRL_DEPS_DIR:-$PWD/.deps}"
readonly PACKAGES=(g++ cmake ninja-build ccache mold git python3 python3-pip
  libopenmpi-dev openmpi-bin libyaml-cpp-dev libboost-dev libicu-dev nlohmann-json3-dev libxxhash-dev
  libgtest-dev libbenchmark-dev)

variant=light
command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && variant=cuda
for word in "$@"; do
  case "$word" in
    --cuda) variant=cuda ;;
    --light) variant=light ;;
    *) echo "setup.sh: unknown option '$word'; use --cuda or --light" >&2; exit 2 ;;
  esac
done

# System packages.
missing=()
if command -v dpkg-query >/dev/null 2>&1; then
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
else
  for program in g++ cmake ninja mpicc python3; do
    command -v "$program" >/dev/null 2>&1 || missing+=("$program")
  done
fi
if [ "${#missing[@]}" -gt 0 ]; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
  if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
    echo "setup: installing ${missing[*]}"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "setup.sh: these are missing and cannot be installed from here: ${missing[*]}" >&2
    echo "Install them (Debian and Ubuntu: apt-get install ${PACKAGES[*]}; elsewhere the packages of the same" >&2
    echo "libraries: Open MPI, yaml-cpp, Boost, ICU, nlohmann-json, xxHash, GoogleTest), then run this again." >&2
    exit 1
  fi
fi

# LibTorch and Arrow. The stamp names what is there, so that a second run does nothing.
readonly STAMP="torch $TORCH pyarrow $PYARROW $variant"
if [ "$(cat "$DEPS/stamp" 2>/dev/null || true)" != "$STAMP" ]; then
  # The whole set also serves where the light one is wanted.
  if [ "$variant" = light ] && [ "$(cat "$DEPS/stamp" 2>/dev/null || true)" = "torch $TORCH pyarrow $PYARROW cuda" ]; then
    echo "setup: $DEPS holds the whole set already"
    exit 0
  fi
  echo "setup: LibTorch $TORCH ($variant) and Arrow $PYARROW into $DEPS"
  rm -rf "$DEPS/python" "$DEPS/python.tmp" "$DEPS/stamp"
  mkdir -p "$DEPS"
  pip=(python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-warn-script-location
    --no-compile --target "$DEPS/python.tmp")
  "${pip[@]}" --no-deps "pyarrow==$PYARROW"
  if [ "$variant" = cuda ]; then
    "${pip[@]}" "torch==$TORCH"
  else
    "${pip[@]}" --no-deps "torch==$TORCH" "nvidia-cuda-runtime==$CUDA_RUNTIME" "nvidia-cuda-cupti==$CUPTI"
  fi
  mv "$DEPS/python.tmp" "$DEPS/python"
  echo "$STAMP" > "$DEPS/stamp"
fi
echo "setup: ready ($variant)"

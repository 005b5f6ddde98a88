#!/usr/bin/env bash
# Brings everything covrl needs: Debian packages through apt where it may, and LibTorch and Arrow from their PyPI wheels into
# .deps (a folder of headers and libraries; no Python runs). Idempotent; asks nothing.
#
#   scripts/setup.sh --light   light: LibTorch's CPU part (1.4 GB)              - the default without a GPU
#   scripts/setup.sh --cuda    whole: LibTorch with its CUDA libraries (4.3 GB) - the default with a GPU
#   scripts/setup.sh --fuzz    clang with libFuzzer too, for scripts/fuzz.sh
set -euo pipefail
cd "$(dirname "$0")/.."

# What LibTorch links, without what only its Python side uses. The light set: what libtorch_cpu needs; the whole: all that
# libtorch_cuda needs, in the versions that its wheel asks for (NCCL must be exactly that one).
readonly LIGHT=(pyarrow==26.0.1 torch==2.15.0 nvidia-cuda-runtime==13.2.86 nvidia-cuda-cupti==13.2.86)
readonly WHOLE=(nvidia-nccl-cu13==2.30.7 nvidia-cudnn-cu13==9.26.0.51 nvidia-cublas==13.4.1.3 nvidia-cufft==12.2.0.57
  nvidia-cusolver==12.2.0.11 nvidia-cusparse==12.7.10.12 nvidia-cusparselt-cu13==0.8.1 nvidia-cufile==1.17.1.22
  nvidia-cuda-nvrtc==13.2.86 nvidia-nvjitlink==13.5.37 nvidia-nvshmem-cu13==3.7.2 nvidia-nvtx==13.2.86)
readonly DEPS="${COVRL_DEPS_DIR:-$PWD/.deps}"
PACKAGES=(g++ make cmake ninja-build ccache mold git curl jq python3 python3-pip
  libopenmpi-dev openmpi-bin libyaml-cpp-dev libboost-dev libicu-dev nlohmann-json3-dev libxxhash-dev
  libgmp-dev libflint-dev libflint-arb-dev
  libgtest-dev libbenchmark-dev)

variant=light
command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && variant=cuda
for word in "$@"; do
  case "$word" in
    --cuda) variant=cuda ;;
    --light) variant=light ;;
    --fuzz) PACKAGES+=(clang libclang-rt-dev) ;;
    *) echo "setup.sh: unknown option '$word'; use --cuda, --light or --fuzz" >&2; exit 2 ;;
  esac
done

# System packages.
missing=()
if command -v dpkg-query >/dev/null 2>&1; then
  for package in "${PACKAGES[@]}"; do
    [ "$package" = libflint-arb-dev ] && [ -e /usr/include/flint/acb.h ] && continue  # FLINT 3 holds Arb
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
    # Arb became part of FLINT, and libFuzzer once came with clang: what this release does not know, another package holds.
    for package in libflint-arb-dev libclang-rt-dev; do
      apt-cache show "$package" >/dev/null 2>&1 && continue
      kept=()
      for wanted in "${missing[@]}"; do [ "$wanted" = "$package" ] || kept+=("$wanted"); done
      missing=("${kept[@]}")
    done
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "setup.sh: these are missing and cannot be installed from here: ${missing[*]}" >&2
    echo "Install them (Debian and Ubuntu: apt-get install ${PACKAGES[*]}; elsewhere the packages of the same" >&2
    echo "libraries: Open MPI, yaml-cpp, Boost, ICU, nlohmann-json, xxHash, GMP, FLINT with Arb, GoogleTest), then run this again." >&2
    exit 1
  fi
fi

# LibTorch and Arrow. The stamp names what is there, so that a second run does nothing.
# pip puts the wheels beside what is there, which stays usable if it fails; all in one call, since it does not merge the folders
# of several; with its temporary folder on the same disk, so that its last step is a rename and a small /tmp does not matter.
fetch() {
  rm -rf "$DEPS/python.tmp" "$DEPS/tmp"
  mkdir -p "$DEPS/tmp"
  TMPDIR="$DEPS/tmp" python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --no-warn-script-location --no-compile --no-deps --target "$DEPS/python.tmp" "$@"
  rm -rf "$DEPS/tmp"
}

wheels=("${LIGHT[@]}")
[ "$variant" = light ] || wheels+=("${WHOLE[@]}")
stamp=$(cat "$DEPS/stamp" 2>/dev/null || true)
if [ "$stamp" = "${LIGHT[*]} ${WHOLE[*]}" ] && [ "$variant" = light ]; then
  echo "setup: $DEPS holds the whole set already"
elif [ "$stamp" = "${LIGHT[*]}" ] && [ "$variant" = cuda ]; then
  # Headers that are there keep their dates, so that a build of the light set only links anew.
  echo "setup: LibTorch's CUDA libraries into $DEPS"
  fetch "${WHOLE[@]}"
  cp -Rlf "$DEPS/python.tmp/." "$DEPS/python"
  rm -rf "$DEPS/python.tmp"
  echo "${wheels[*]}" > "$DEPS/stamp"
elif [ "$stamp" != "${wheels[*]}" ]; then
  echo "setup: LibTorch and Arrow ($variant) into $DEPS"
  fetch "${wheels[@]}"
  rm -rf "$DEPS/stamp" "$DEPS/python"
  mv "$DEPS/python.tmp" "$DEPS/python"
  echo "${wheels[*]}" > "$DEPS/stamp"
fi
if [ "$variant" = cuda ] && ! command -v nvcc >/dev/null 2>&1 && [ ! -x /usr/local/cuda/bin/nvcc ]; then
  echo "setup: nvcc is not found; without it the build has no CUDA (install NVIDIA's CUDA toolkit 13, cuda-toolkit-13-0)" >&2
fi
echo "setup: ready ($variant)"

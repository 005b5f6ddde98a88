#include "policy/device.h"

#include <ATen/Context.h>

#include <algorithm>

#include "core/error.h"

namespace covrl {
namespace {

// cuBLAS may otherwise add parts of a product of 16-bit values in 16 bits.
void keep_sums_in_float32() {
  at::globalContext().setAllowBF16ReductionCuBLAS(/*allow_reduced_precision=*/false);
  at::globalContext().setAllowFP16ReductionCuBLAS(/*allow_reduced_precision=*/false);
}

}  // namespace

// Asked of LibTorch at run time: the source is the same in both builds, and only the linked
// libraries differ.
CudaState cuda_state() {
  CudaState state;
  state.is_linked = at::Context::hasCUDART();
  if (state.is_linked) state.num_gpus = static_cast<int>(at::getNumGPUs());
  return state;
}

const std::vector<std::string>& device_words() {
  static const std::vector<std::string> words = {"auto", "cpu", "cuda"};
  return words;
}

at::Device choose_device(const std::string& word, const std::string& where,
                         const CudaState& state) {
  const std::vector<std::string>& words = device_words();
  if (std::find(words.begin(), words.end(), word) == words.end())
    throw_usage(where, ": '", word, "' is not a device; allowed: auto, cpu, cuda");
  if (word == "cpu") return at::kCPU;
  if (state.is_linked && state.num_gpus > 0) return at::Device(at::kCUDA, 0);
  if (word == "auto") return at::kCPU;
  if (!state.is_linked)
    throw_usage(where,
                ": cuda, but this program is built without it; run scripts/setup.sh --cuda, then ",
                "cmake --preset cuda and cmake --build --preset cuda; or use cpu");
  throw_usage(where,
              ": cuda, but no GPU is visible to this process (nvidia-smi -L, "
              "CUDA_VISIBLE_DEVICES); use cpu or auto");
}

at::Device choose_device(const std::string& word, const std::string& where) {
  const at::Device device = choose_device(word, where, cuda_state());
  if (device.is_cuda()) keep_sums_in_float32();
  return device;
}

}  // namespace covrl

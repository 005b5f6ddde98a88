// Where a model and its tensors live: the words of --device and model.device.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

namespace covrl {

// What this program and this machine have of CUDA.
struct CudaState {
  bool is_linked = false;  // LibTorch's CUDA part is in the program
  int num_gpus = 0;        // visible to this process
};
CudaState cuda_state();

const std::vector<std::string>& device_words();  // auto, cpu, cuda

// auto: the first visible GPU, else the CPU. cuda: the first visible GPU; without one an
// Error(kUsage) that says why and starts with `where`, the option or key that the word comes from.
at::Device choose_device(const std::string& word, const std::string& where, const CudaState& state);
at::Device choose_device(const std::string& word, const std::string& where);

}  // namespace covrl

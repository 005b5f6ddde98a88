#include "policy/device.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl {
namespace {

constexpr CudaState kLight{.is_linked = false, .num_gpus = 0};
constexpr CudaState kNoGpu{.is_linked = true, .num_gpus = 0};
constexpr CudaState kTwoGpus{.is_linked = true, .num_gpus = 2};

std::string message_of(const std::string& word, const CudaState& state) {
  try {
    choose_device(word, "--device", state);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(DeviceTest, AutoTakesTheFirstGpuWhereThereIsOne) {
  EXPECT_EQ(choose_device("auto", "--device", kLight), at::Device(at::kCPU));
  EXPECT_EQ(choose_device("auto", "--device", kNoGpu), at::Device(at::kCPU));
  EXPECT_EQ(choose_device("auto", "--device", kTwoGpus), at::Device(at::kCUDA, 0));
}

TEST(DeviceTest, CpuIsAlwaysTheCpu) {
  for (const CudaState& state : {kLight, kNoGpu, kTwoGpus})
    EXPECT_EQ(choose_device("cpu", "--device", state), at::Device(at::kCPU));
}

TEST(DeviceTest, CudaSaysWhatIsMissing) {
  EXPECT_EQ(choose_device("cuda", "--device", kTwoGpus), at::Device(at::kCUDA, 0));
  EXPECT_NE(message_of("cuda", kLight).find("scripts/setup.sh --cuda"), std::string::npos);
  EXPECT_NE(message_of("cuda", kNoGpu).find("no GPU is visible"), std::string::npos);
  EXPECT_EQ(message_of("cuda", kNoGpu).rfind("--device: ", 0), 0u);
}

TEST(DeviceTest, UnknownWordIsRefusedWithTheAllowedOnes) {
  EXPECT_NE(message_of("gpu", kTwoGpus).find("'gpu' is not a device; allowed: auto, cpu, cuda"),
            std::string::npos);
}

// What the build links is what the program sees.
TEST(DeviceTest, ProgramLinksCudaIfTheBuildDoes) {
  const CudaState state = cuda_state();
  EXPECT_EQ(state.is_linked, COVRL_TORCH_CUDA == 1);
  if (!state.is_linked) {
    EXPECT_EQ(state.num_gpus, 0);
  }
}

}  // namespace
}  // namespace covrl

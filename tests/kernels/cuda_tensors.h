// Tests of ops on tensors of a CUDA device.
#pragma once

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace covrl::kernels::testing {

inline at::Tensor there(const at::Tensor& tensor) { return tensor.to(at::kCUDA); }

class OnCudaTensors : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    // LibTorch first looks for driver functions that the emulator has not, and trips over the error
    // that leaves behind, once.
    try {
      at::empty({1}, at::kCUDA);
    } catch (const c10::Error&) {
    }
  }
};

}  // namespace covrl::kernels::testing

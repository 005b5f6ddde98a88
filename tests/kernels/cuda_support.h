// What the tests of CUDA kernels share: device memory, random values in a storage type, the guard
// where no device is.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cuda_type.h"

namespace covrl::kernels {

inline bool has_device() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

inline void check_cuda(cudaError_t error) {
  if (error != cudaSuccess)
    throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

template <class T>
class DeviceBuffer {
 public:
  explicit DeviceBuffer(size_t count) : count_(count) {
    check_cuda(cudaMalloc(&data_, count * sizeof(T)));
  }
  explicit DeviceBuffer(const std::vector<T>& host) : DeviceBuffer(host.size()) {
    check_cuda(cudaMemcpy(data_, host.data(), count_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  ~DeviceBuffer() { cudaFree(data_); }

  T* data() { return data_; }
  std::vector<T> host() const {
    std::vector<T> copy(count_);
    check_cuda(cudaDeviceSynchronize());
    check_cuda(cudaMemcpy(copy.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
    return copy;
  }

 private:
  T* data_ = nullptr;
  size_t count_;
};

// Values of a storage type and the same in float.
template <class T>
struct Stored {
  std::vector<T> values;
  std::vector<float> floats;
};

template <class T>
std::vector<float> to_floats(const std::vector<T>& values) {
  std::vector<float> floats(values.size());
  for (size_t i = 0; i < values.size(); ++i) floats[i] = static_cast<float>(values[i]);
  return floats;
}

template <class T>
Stored<T> random_values(size_t count, float scale, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, scale);
  Stored<T> stored;
  for (size_t i = 0; i < count; ++i) stored.values.push_back(static_cast<T>(normal(engine)));
  stored.floats = to_floats(stored.values);
  return stored;
}

// The types that values are stored as.
using StorageTypes = ::testing::Types<float, __nv_bfloat16, __half>;

template <class T>
constexpr CudaType kType = CudaType::kFloat32;
template <>
inline constexpr CudaType kType<__nv_bfloat16> = CudaType::kBFloat16;
template <>
inline constexpr CudaType kType<__half> = CudaType::kFloat16;

// Half the distance between neighbours at 1: the error of one rounding.
template <class T>
constexpr double kRounding = 0x1p-24;
template <>
inline constexpr double kRounding<__nv_bfloat16> = 0x1p-8;
template <>
inline constexpr double kRounding<__half> = 0x1p-11;

// Largest error of rounding `value` to storage; below the smallest normal number it is constant.
template <class T>
double rounding_error(double value) {
  constexpr double kSubnormal = std::is_same_v<T, __half> ? 0x1p-25 : 0x1p-134;
  return kRounding<T> * std::abs(value) + kSubnormal;
}

}  // namespace covrl::kernels

#define COVRL_REQUIRE_DEVICE()         \
  if (!::covrl::kernels::has_device()) \
  GTEST_SKIP() << "no CUDA device (LD_PRELOAD the emulator to run this test)"

// Working memory of a thread that grows and is kept: `thread_local FloatBuffer` beside the loop
// that uses it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace covrl::kernels {

class FloatBuffer {
 public:
  // At least `count` floats, aligned to a cache line; what was in it may be lost.
  float* reserve(int64_t count) {
    if (count > capacity_) {
      const size_t bytes = (static_cast<size_t>(count) * sizeof(float) + 63) / 64 * 64;
      data_.reset();
      data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
      if (!data_) throw std::bad_alloc();
      capacity_ = count;
    }
    return data_.get();
  }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
  int64_t capacity_ = 0;
};

}  // namespace covrl::kernels

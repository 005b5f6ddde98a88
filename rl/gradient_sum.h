// Exact sums of gradients: micro-batch gradients are added as 64-bit fixed point, so that neither
// the order of micro-batches nor the number of ranks that computed them changes a single bit of the
// sum.
//
// Quantum 2^-48 (3.6e-15). The largest elements of a tensor's micro-batch gradients must add up to
// less than 32,767; beyond it, or when one is not finite, all_reduce throws Error(kRuntime) naming
// the tensor, on every rank alike.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/comm.h"

namespace covrl {

class GradientSum {
 public:
  explicit GradientSum(const std::vector<std::pair<std::string, at::Tensor>>& parameters);
  void clear();
  // Adds .grad of every parameter (undefined counts as zero) and clears it.
  void add_and_clear_grads();
  // Sum over the ranks of `comm`, in place. Collective.
  void all_reduce(Communicator& comm);
  // The sum as one flat float32 buffer in the order of the parameters, and its L2 norm (double,
  // fixed order).
  at::Tensor flat() const;
  double norm() const;

 private:
  std::vector<std::pair<std::string, at::Tensor>> parameters_;
  std::vector<int64_t> sum_;
  std::vector<double> largest_;  // per parameter: sum over micro-batches of the largest |element|;
                                 // infinite when not finite
};

}  // namespace covrl

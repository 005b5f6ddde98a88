// Plain-torch oracles of linear, rms_norm, rope, swiglu and attention (those of the other ops:
// reference_logprob.h).
//
// Short, differentiable through ordinary autograd, on any device, in the precision of the input:
// float64 stays float64, float32 float32, bfloat16 is computed in float32 and rounded where the
// op's contract says. Arguments as in the op's header; they are not checked again. An op uses its
// oracle in reference mode, for float64 and where it has no kernel for the device.
#pragma once

#include "kernels/attention.h"
#include "kernels/rope.h"

namespace covrl::kernels {

// Which devices an op has fast kernels for (float32, bfloat16; float16 on CUDA).
enum class Kernels { kCpu, kCpuAndCuda };

// True where an op has to take its oracle for this input.
bool uses_reference(const at::Tensor& input, Kernels kernels = Kernels::kCpu);

namespace reference {

at::Tensor linear(const at::Tensor& x_TK, const at::Tensor& weight_NK,
                  const at::Tensor& bias_N = {});
at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double eps);
at::Tensor rope(const at::Tensor& x_THd, const RopePlaces& places);
at::Tensor swiglu(const at::Tensor& gate_TF, const at::Tensor& up_TF);
at::Tensor attention(const at::Tensor& q_TQd, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const std::vector<int64_t>& cu_seqlens, double scale);
void write_cache(PagedCache& cache, const at::Tensor& k_THd, const at::Tensor& v_THd,
                 const at::Tensor& slots_T);
at::Tensor decode_attention(const at::Tensor& q_BQd, const PagedCache& cache,
                            const at::Tensor& block_table_BM, const at::Tensor& lengths_B,
                            double scale);

}  // namespace reference
}  // namespace covrl::kernels

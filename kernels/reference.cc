#include "kernels/reference.h"

#include <ATen/ATen.h>

#include <limits>

#include "kernels/mode.h"

namespace covrl::kernels {

bool uses_reference(const at::Tensor& input, Kernels kernels) {
  const bool has_kernel = input.is_cpu() || (input.is_cuda() && kernels == Kernels::kCpuAndCuda);
  return mode() == Mode::kReference || !has_kernel || input.scalar_type() == at::kDouble;
}

namespace reference {
namespace {

at::Tensor widened(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

// Softmax attention of the last L of the S keys' positions. q [L,Q,d], k, v [S,H,d] -> [L,Q,d].
at::Tensor attend(const at::Tensor& q_LQd, const at::Tensor& k_SHd, const at::Tensor& v_SHd,
                  double scale) {
  const int64_t num_queries = q_LQd.size(0), num_keys = k_SHd.size(0),
                group = q_LQd.size(1) / k_SHd.size(1);
  const at::Tensor q = widened(q_LQd).transpose(0, 1);
  const at::Tensor k = widened(k_SHd).repeat_interleave(group, 1).transpose(0, 1);
  const at::Tensor v = widened(v_SHd).repeat_interleave(group, 1).transpose(0, 1);
  const at::Tensor hidden = at::ones({num_queries, num_keys}, q.options().dtype(at::kBool))
                                .triu(num_keys - num_queries + 1);
  const at::Tensor scores = at::matmul(q, k.transpose(1, 2)) * scale;
  const at::Tensor weights =
      scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()).softmax(-1);
  return at::matmul(weights, v).transpose(0, 1).to(q_LQd.scalar_type());
}

}  // namespace

at::Tensor linear(const at::Tensor& x_TK, const at::Tensor& weight_NK, const at::Tensor& bias_N) {
  const at::Tensor y = at::matmul(widened(x_TK), widened(weight_NK).t());
  return (bias_N.defined() ? y + widened(bias_N) : y).to(x_TK.scalar_type());
}

at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double eps) {
  const at::Tensor x = widened(x_TD);
  const at::Tensor normalised =
      (x * (x.square().mean(-1, /*keepdim=*/true) + eps).rsqrt()).to(x_TD.scalar_type());
  return normalised * weight_D;
}

at::Tensor rope(const at::Tensor& x_THd, const RopePlaces& places) {
  const at::Tensor x = widened(x_THd);
  const auto angles = [&](const at::Tensor& table_Pd) {
    return table_Pd.index_select(0, places.positions_T).unsqueeze(1).to(x.scalar_type());
  };
  const at::Tensor cos = angles(places.cos_Pd), sin = angles(places.sin_Pd);
  const std::vector<at::Tensor> half = x.chunk(2, -1);
  return at::cat({half[0] * cos - half[1] * sin, half[1] * cos + half[0] * sin}, -1)
      .to(x_THd.scalar_type());
}

at::Tensor swiglu(const at::Tensor& gate_TF, const at::Tensor& up_TF) {
  return (at::silu(widened(gate_TF)) * widened(up_TF)).to(gate_TF.scalar_type());
}

at::Tensor attention(const at::Tensor& q_TQd, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const std::vector<int64_t>& cu_seqlens, double scale) {
  std::vector<at::Tensor> outputs = {q_TQd.narrow(0, 0, 0)};
  for (size_t n = 0; n + 1 < cu_seqlens.size(); ++n) {
    const int64_t start = cu_seqlens[n], length = cu_seqlens[n + 1] - start;
    if (length == 0) continue;
    outputs.push_back(attend(q_TQd.narrow(0, start, length), k_THd.narrow(0, start, length),
                             v_THd.narrow(0, start, length), scale));
  }
  return at::cat(outputs);
}

void write_cache(PagedCache& cache, const at::Tensor& k_THd, const at::Tensor& v_THd,
                 const at::Tensor& slots_T) {
  const at::NoGradGuard no_grad;
  cache.k_PSHd.flatten(0, 1).index_copy_(0, slots_T, k_THd);
  cache.v_PSHd.flatten(0, 1).index_copy_(0, slots_T, v_THd);
}

at::Tensor decode_attention(const at::Tensor& q_BQd, const PagedCache& cache,
                            const at::Tensor& block_table_BM, const at::Tensor& lengths_B,
                            double scale) {
  const at::NoGradGuard no_grad;
  at::Tensor output = at::empty_like(q_BQd);
  for (int64_t row = 0; row < q_BQd.size(0); ++row) {
    const int64_t length = lengths_B[row].item<int64_t>(), page_size = cache.k_PSHd.size(1);
    const at::Tensor pages =
        block_table_BM[row].narrow(0, 0, (length + page_size - 1) / page_size).to(at::kLong);
    const at::Tensor k = cache.k_PSHd.index_select(0, pages).flatten(0, 1).narrow(0, 0, length);
    const at::Tensor v = cache.v_PSHd.index_select(0, pages).flatten(0, 1).narrow(0, 0, length);
    output.narrow(0, row, 1).copy_(attend(q_BQd.narrow(0, row, 1), k, v, scale));
  }
  return output;
}

}  // namespace reference
}  // namespace covrl::kernels

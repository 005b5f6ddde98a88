#include "kernels/attention.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "kernels/attention_cpu.h"
#include "kernels/check.h"
#include "kernels/cuda_ops.h"
#include "kernels/reference.h"

namespace covrl::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

HeadShape head_shape(const at::Tensor& q_TQd, int64_t key_heads, double scale) {
  return {q_TQd.size(1), key_heads, q_TQd.size(2), static_cast<float>(scale)};
}

PackedSequences sequences_of(const std::vector<int64_t>& cu_seqlens) {
  return {cu_seqlens.data(), static_cast<int64_t>(cu_seqlens.size()) - 1};
}

struct AttentionResult {
  at::Tensor output, max, inverse_sum;  // float32
};

AttentionResult forward_cpu(const at::Tensor& q_TQd, const at::Tensor& k_THd,
                            const at::Tensor& v_THd, const std::vector<int64_t>& cu_seqlens,
                            double scale, bool keep_statistics) {
  const at::Tensor q = to_float(q_TQd), k = to_float(k_THd), v = to_float(v_THd);
  AttentionResult result;
  result.output = at::empty_like(q);
  AttentionForward tensors;
  tensors.q = q.const_data_ptr<float>();
  tensors.k = k.const_data_ptr<float>();
  tensors.v = v.const_data_ptr<float>();
  tensors.output = result.output.data_ptr<float>();
  if (keep_statistics) {
    result.max = at::empty({q.size(0), q.size(1)}, q.options());
    result.inverse_sum = at::empty_like(result.max);
    tensors.max = result.max.data_ptr<float>();
    tensors.inverse_sum = result.inverse_sum.data_ptr<float>();
  }
  attention_cpu(head_shape(q, k.size(1), scale), sequences_of(cu_seqlens), tensors);
  return result;
}

struct AttentionFunction : Function<AttentionFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const std::vector<int64_t>& cu_seqlens,
                            double scale) {
    const AttentionResult result =
        forward_cpu(q, k, v, cu_seqlens, scale, /*keep_statistics=*/true);
    ctx->save_for_backward({q, k, v});
    ctx->saved_data["output"] = result.output.detach();
    ctx->saved_data["max"] = result.max;
    ctx->saved_data["inverse_sum"] = result.inverse_sum;
    ctx->saved_data["cu_seqlens"] = cu_seqlens;
    ctx->saved_data["scale"] = scale;
    return result.output.to(q.scalar_type());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("attention");
    const variable_list saved = ctx->get_saved_variables();
    const at::ScalarType type = saved[0].scalar_type();
    const at::Tensor q = to_float(saved[0]), k = to_float(saved[1]), v = to_float(saved[2]);
    const at::Tensor output = ctx->saved_data["output"].toTensor(),
                     grad_output = to_float(grads[0]);
    const at::Tensor max = ctx->saved_data["max"].toTensor(),
                     inverse_sum = ctx->saved_data["inverse_sum"].toTensor();
    const std::vector<int64_t> cu_seqlens = ctx->saved_data["cu_seqlens"].toIntVector();
    const at::Tensor grad_q = at::empty_like(q), grad_k = at::empty_like(k),
                     grad_v = at::empty_like(v);
    AttentionBackward tensors;
    tensors.q = q.const_data_ptr<float>();
    tensors.k = k.const_data_ptr<float>();
    tensors.v = v.const_data_ptr<float>();
    tensors.output = output.const_data_ptr<float>();
    tensors.grad_output = grad_output.const_data_ptr<float>();
    tensors.max = max.const_data_ptr<float>();
    tensors.inverse_sum = inverse_sum.const_data_ptr<float>();
    tensors.grad_q = grad_q.data_ptr<float>();
    tensors.grad_k = grad_k.data_ptr<float>();
    tensors.grad_v = grad_v.data_ptr<float>();
    attention_backward_cpu(head_shape(q, k.size(1), ctx->saved_data["scale"].toDouble()),
                           sequences_of(cu_seqlens), tensors);
    return {grad_q.to(type), grad_k.to(type), grad_v.to(type), at::Tensor(), at::Tensor()};
  }
};

void check_heads(const char* op, const at::Tensor& q, int64_t key_heads, int64_t size,
                 double scale) {
  if (key_heads == 0 || size == 0 || q.size(1) % key_heads != 0 || q.size(1) == 0 ||
      q.size(2) != size)
    throw_usage(op, ": q has shape ", q.sizes(), ", expected a multiple of the ", key_heads,
                " key heads and head size ", size);
  if (!std::isfinite(scale)) throw_usage(op, ": scale is ", scale, ", expected a finite number");
}

void check_packing(const Packing& packing, const at::Tensor& q_TQd) {
  if (packing.cu_seqlens.back() != q_TQd.size(0) ||
      packing.cu_seqlens_there.device() != q_TQd.device())
    throw_usage("attention: cu_seqlens ends at ", packing.cu_seqlens.back(), " on ",
                packing.cu_seqlens_there.device(), ", expected the ", q_TQd.size(0),
                " tokens of q on ", q_TQd.device());
}

// What LibTorch's fused attention on a GPU asks for.
bool fused_attention_fits(const at::Tensor& q_TQd) {
  return q_TQd.size(0) > 0 && q_TQd.size(2) % 8 == 0 && q_TQd.size(2) <= 256;
}

void check_cache(const char* op, const PagedCache& cache) {
  check_input(op, "cache.k", cache.k_PSHd, 4);
  check_input(op, "cache.v", cache.v_PSHd, 4);
  check_alike(op, "cache.k", cache.k_PSHd, "cache.v", cache.v_PSHd);
  check_shape(op, "cache.v", cache.v_PSHd, cache.k_PSHd.sizes());
  if (!cache.k_PSHd.is_contiguous() || !cache.v_PSHd.is_contiguous())
    throw_usage(op, ": the cache is not contiguous, expected contiguous [P,S,H,d]");
}

void check_block_table(const PagedCache& cache, const at::Tensor& block_table_BM,
                       const at::Tensor& lengths_B) {
  const int64_t num_pages = cache.k_PSHd.size(0), page_size = cache.k_PSHd.size(1),
                max_pages = block_table_BM.size(1);
  const int32_t* lengths = lengths_B.const_data_ptr<int32_t>();
  const int32_t* table = block_table_BM.const_data_ptr<int32_t>();
  for (int64_t row = 0; row < lengths_B.size(0); ++row) {
    if (lengths[row] < 1 || lengths[row] > max_pages * page_size)
      throw_usage("decode_attention: lengths[", row, "] is ", lengths[row], ", expected 1 .. ",
                  max_pages * page_size, ", the slots of ", max_pages, " pages");
    for (int64_t page = 0; page * page_size < lengths[row]; ++page) {
      const int32_t id = table[row * max_pages + page];
      if (id < 0 || id >= num_pages)
        throw_usage("decode_attention: block_table[", row, ",", page, "] is ", id,
                    ", expected 0 .. ", num_pages - 1);
    }
  }
}

}  // namespace

Packing::Packing(std::vector<int64_t> offsets, at::Device device) : cu_seqlens(std::move(offsets)) {
  if (cu_seqlens.empty() || cu_seqlens.front() != 0)
    throw_usage("attention: cu_seqlens ",
                cu_seqlens.empty() ? "is empty" : concat("starts at ", cu_seqlens.front()),
                ", expected 0 and the end of every sequence");
  const at::Tensor host = at::empty({static_cast<int64_t>(cu_seqlens.size())}, at::kInt);
  int32_t* offset = host.mutable_data_ptr<int32_t>();
  for (size_t n = 0; n < cu_seqlens.size(); ++n) {
    const int64_t length = n == 0 ? 0 : cu_seqlens[n] - cu_seqlens[n - 1];
    if (length < 0)
      throw_usage("attention: cu_seqlens[", n, "] is ", cu_seqlens[n], ", below the one before, ",
                  cu_seqlens[n - 1]);
    longest = std::max(longest, length);
    offset[n] = static_cast<int32_t>(cu_seqlens[n]);
  }
  cu_seqlens_there = host.to(device);
}

at::Tensor attention(const at::Tensor& q_TQd, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const Packing& packing, double scale) {
  RECORD_USER_SCOPE("attention");
  check_input("attention", "q", q_TQd, 3);
  check_input("attention", "k", k_THd, 3);
  check_input("attention", "v", v_THd, 3);
  check_alike("attention", "q", q_TQd, "k", k_THd);
  check_alike("attention", "q", q_TQd, "v", v_THd);
  check_shape("attention", "k", k_THd, {q_TQd.size(0), k_THd.size(1), q_TQd.size(2)});
  check_shape("attention", "v", v_THd, k_THd.sizes());
  check_heads("attention", q_TQd, k_THd.size(1), k_THd.size(2), scale);
  check_packing(packing, q_TQd);
  if (uses_reference(q_TQd, fused_attention_fits(q_TQd) ? Kernels::kCpuAndCuda : Kernels::kCpu))
    return reference::attention(q_TQd, k_THd, v_THd, packing.cu_seqlens, scale);
  if (q_TQd.is_cuda()) return cuda_ops::attention(q_TQd, k_THd, v_THd, packing, scale);
  if (!wants_gradient({q_TQd, k_THd, v_THd}))
    return forward_cpu(q_TQd, k_THd, v_THd, packing.cu_seqlens, scale, /*keep_statistics=*/false)
        .output.to(q_TQd.scalar_type());
  return AttentionFunction::apply(q_TQd, k_THd, v_THd, packing.cu_seqlens, scale);
}

void check_write(const char* op, const PagedCache& cache, const at::Tensor& k_THd,
                 const at::Tensor& v_THd, const at::Tensor& slots_T) {
  check_cache(op, cache);
  check_input(op, "k", k_THd, 3);
  check_input(op, "v", v_THd, 3);
  check_alike(op, "cache.k", cache.k_PSHd, "k", k_THd);
  check_alike(op, "cache.k", cache.k_PSHd, "v", v_THd);
  check_shape(op, "k", k_THd, {k_THd.size(0), cache.k_PSHd.size(2), cache.k_PSHd.size(3)});
  check_shape(op, "v", v_THd, k_THd.sizes());
  check_integers(op, "slots", slots_T, at::kLong, {k_THd.size(0)}, k_THd);
}

void write_cache(PagedCache& cache, const at::Tensor& k_THd, const at::Tensor& v_THd,
                 const at::Tensor& slots_T) {
  RECORD_USER_SCOPE("write_cache");
  check_write("write_cache", cache, k_THd, v_THd, slots_T);
  if (uses_reference(cache.k_PSHd)) return reference::write_cache(cache, k_THd, v_THd, slots_T);
  const at::Tensor k = k_THd.contiguous(), v = v_THd.contiguous(), slots = slots_T.contiguous();
  const int64_t* slot = slots.const_data_ptr<int64_t>();
  const int64_t num_slots = cache.k_PSHd.size(0) * cache.k_PSHd.size(1);
  const size_t bytes = static_cast<size_t>(k.size(1) * k.size(2)) * k.element_size();
  for (int64_t token = 0; token < k.size(0); ++token) {
    if (slot[token] < 0 || slot[token] >= num_slots)
      throw_usage("write_cache: slots[", token, "] is ", slot[token], ", expected 0 .. ",
                  num_slots - 1);
    std::memcpy(static_cast<char*>(cache.k_PSHd.data_ptr()) + slot[token] * bytes,
                static_cast<const char*>(k.const_data_ptr()) + token * bytes, bytes);
    std::memcpy(static_cast<char*>(cache.v_PSHd.data_ptr()) + slot[token] * bytes,
                static_cast<const char*>(v.const_data_ptr()) + token * bytes, bytes);
  }
}

at::Tensor decode_attention(const at::Tensor& q_BQd, const PagedCache& cache,
                            const at::Tensor& block_table_BM, const at::Tensor& lengths_B,
                            double scale) {
  RECORD_USER_SCOPE("decode_attention");
  check_cache("decode_attention", cache);
  check_input("decode_attention", "q", q_BQd, 3);
  check_alike("decode_attention", "q", q_BQd, "cache.k", cache.k_PSHd);
  check_heads("decode_attention", q_BQd, cache.k_PSHd.size(2), cache.k_PSHd.size(3), scale);
  check_integers("decode_attention", "lengths", lengths_B, at::kInt, {q_BQd.size(0)}, q_BQd);
  if (block_table_BM.dim() != 2)
    throw_usage("decode_attention: block_table has shape ", block_table_BM.sizes(),
                ", expected two axes");
  check_integers("decode_attention", "block_table", block_table_BM, at::kInt,
                 {q_BQd.size(0), block_table_BM.size(1)}, q_BQd);
  if (uses_reference(q_BQd, Kernels::kCpuAndCuda))
    return reference::decode_attention(q_BQd, cache, block_table_BM, lengths_B, scale);
  if (q_BQd.is_cuda())
    return cuda_ops::decode_attention(q_BQd, cache, block_table_BM, lengths_B, scale);
  const at::Tensor table = block_table_BM.contiguous(), lengths = lengths_B.contiguous(),
                   q = to_float(q_BQd);
  check_block_table(cache, table, lengths);
  const at::Tensor output = at::empty_like(q);
  DecodeAttention tensors;
  tensors.q = q.const_data_ptr<float>();
  tensors.k = cache.k_PSHd.const_data_ptr();
  tensors.v = cache.v_PSHd.const_data_ptr();
  tensors.bfloat16 = q_BQd.scalar_type() == at::kBFloat16;
  tensors.page_size = cache.k_PSHd.size(1);
  tensors.block_table = table.const_data_ptr<int32_t>();
  tensors.max_pages = table.size(1);
  tensors.lengths = lengths.const_data_ptr<int32_t>();
  tensors.batch = q.size(0);
  tensors.output = output.data_ptr<float>();
  decode_attention_cpu(head_shape(q, cache.k_PSHd.size(2), scale), tensors);
  return output.to(q_BQd.scalar_type());
}

}  // namespace covrl::kernels

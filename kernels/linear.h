// y = x w^T + b, with gradients.
//
// Letters: T tokens, K inputs, N outputs. The CPU kernel adds the K products of an output in one
// fixed order, whatever T, the row's place, the thread count or the instruction set: a token's
// output does not depend on what it is batched with. Gradients: dx row by row likewise; dw and db
// add the tokens in order of T.
#pragma once

#include <ATen/core/Tensor.h>

namespace covrl::kernels {

// x [T,K], weight [N,K], bias [N] or undefined -> [T,N]. float32, bfloat16 or float16; sums are in
// float32 and rounded once at the output. Throws Error on a mismatch of shape, dtype or device.
at::Tensor linear(const at::Tensor& x_TK, const at::Tensor& weight_NK,
                  const at::Tensor& bias_N = {});

// The same without bias and without that rounding, in float32, and without a gradient: the logits
// of an output head, with the bits that token_logprob has.
at::Tensor linear_float32(const at::Tensor& x_TK, const at::Tensor& weight_NK);

}  // namespace covrl::kernels

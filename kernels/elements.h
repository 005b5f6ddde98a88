// A tensor's numbers as the CPU kernels of products take them: float32 or bfloat16 in place,
// anything else through float32.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/bfloat16.h"

namespace covrl::kernels {

// Contiguous, in float32 or bfloat16: the tensor itself where it is so already.
inline at::Tensor to_element(const at::Tensor& tensor) {
  return (tensor.scalar_type() == at::kBFloat16 ? tensor : tensor.to(at::kFloat)).contiguous();
}

template <class Element>
const Element* elements(const at::Tensor& tensor) {
  return static_cast<const Element*>(tensor.const_data_ptr());
}

// Calls function(Element()) for the type that to_element(tensor) has.
template <class Function>
auto with_element(const at::Tensor& tensor, const Function& function) {
  return tensor.scalar_type() == at::kBFloat16 ? function(Bfloat16()) : function(float());
}

}  // namespace covrl::kernels

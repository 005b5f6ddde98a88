#include "kernels/rope.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "kernels/check.h"
#include "kernels/cuda_ops.h"
#include "kernels/reference.h"
#include "kernels/rope_cpu.h"

namespace covrl::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor rotate_cpu(const at::Tensor& x_THd, const at::Tensor& cos_Pd, const at::Tensor& sin_Pd,
                      const at::Tensor& positions_T, Rotation rotation) {
  const at::Tensor x = to_float(x_THd), y = at::empty_like(x);
  rope_cpu({x.size(0), x.size(1), x.size(2)}, x.const_data_ptr<float>(),
           cos_Pd.const_data_ptr<float>(), sin_Pd.const_data_ptr<float>(),
           positions_T.const_data_ptr<int64_t>(), rotation, y.data_ptr<float>());
  return y.to(x_THd.scalar_type());
}

struct RopeFunction : Function<RopeFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin, const at::Tensor& positions) {
    ctx->save_for_backward({cos, sin, positions});
    return rotate_cpu(x, cos, sin, positions, Rotation::kForward);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("rope");
    const variable_list saved = ctx->get_saved_variables();
    return {rotate_cpu(grads[0], saved[0], saved[1], saved[2], Rotation::kBack), at::Tensor(),
            at::Tensor(), at::Tensor()};
  }
};

void check_table(const char* name, const at::Tensor& table, const at::Tensor& x_THd) {
  if (table.scalar_type() != at::kFloat || table.dim() != 2 || table.size(1) != x_THd.size(2) / 2)
    throw_usage("rope: ", name, " is ", table.scalar_type(), " of shape ", table.sizes(),
                ", expected float32 of shape [P, ", x_THd.size(2) / 2, "]");
}

}  // namespace

at::Tensor rope(const at::Tensor& x_THd, const at::Tensor& cos_Pd, const at::Tensor& sin_Pd,
                const at::Tensor& positions_T) {
  check_input("rope", "x", x_THd, 3);
  if (x_THd.size(2) % 2 != 0)
    throw_usage("rope: x has shape ", x_THd.sizes(), ", expected an even last axis");
  check_table("cos", cos_Pd, x_THd);
  check_table("sin", sin_Pd, x_THd);
  check_shape("rope", "sin", sin_Pd, cos_Pd.sizes());
  check_integers("rope", "positions", positions_T, at::kLong, {x_THd.size(0)});
  const bool differentiated = wants_gradient({x_THd});
  if (uses_reference(x_THd, Kernels::kCpuAndCuda) || (x_THd.is_cuda() && differentiated))
    return reference::rope(x_THd, cos_Pd, sin_Pd, positions_T);
  const at::Tensor cos = cos_Pd.contiguous(), sin = sin_Pd.contiguous(),
                   positions = positions_T.contiguous();
  if (x_THd.is_cuda()) return cuda_ops::rope(x_THd, cos, sin, positions);
  const int64_t* position = positions.const_data_ptr<int64_t>();
  for (int64_t token = 0; token < positions.size(0); ++token) {
    if (position[token] < 0 || position[token] >= cos.size(0))
      throw_usage("rope: positions[", token, "] is ", position[token], ", expected 0 .. ",
                  cos.size(0) - 1);
  }
  if (!differentiated) return rotate_cpu(x_THd, cos, sin, positions, Rotation::kForward);
  return RopeFunction::apply(x_THd, cos, sin, positions);
}

}  // namespace covrl::kernels

#include "kernels/rope.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

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

at::Tensor rotated(const at::Tensor& x_THd, const RopePlaces& places, Rotation rotation) {
  if (x_THd.is_cuda()) return cuda_ops::rope(x_THd, places, rotation);
  const at::Tensor x = to_float(x_THd), y = at::empty_like(x);
  rope_cpu({x.size(0), x.size(1), x.size(2)}, x.const_data_ptr<float>(),
           places.cos_Pd.const_data_ptr<float>(), places.sin_Pd.const_data_ptr<float>(),
           places.positions_T.const_data_ptr<int64_t>(), rotation, y.data_ptr<float>());
  return y.to(x_THd.scalar_type());
}

struct RopeFunction : Function<RopeFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin, const at::Tensor& positions) {
    ctx->save_for_backward({cos, sin, positions});
    return rotated(x, {cos, sin, positions}, Rotation::kForward);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("rope");
    const variable_list saved = ctx->get_saved_variables();
    return {rotated(grads[0], {saved[0], saved[1], saved[2]}, Rotation::kBack), at::Tensor(),
            at::Tensor(), at::Tensor()};
  }
};

void check_table(const char* name, const at::Tensor& table, const at::Tensor& x_THd) {
  if (table.scalar_type() != at::kFloat || table.dim() != 2 || table.size(1) != x_THd.size(2) / 2)
    throw_usage("rope: ", name, " is ", table.scalar_type(), " of shape ", table.sizes(),
                ", expected float32 of shape [P, ", x_THd.size(2) / 2, "]");
  if (table.device() != x_THd.device())
    throw_usage("rope: ", name, " is on ", table.device(), ", expected ", x_THd.device(),
                ", where x is");
}

void check_rope(const at::Tensor& x_THd, const RopePlaces& places) {
  check_input("rope", "x", x_THd, 3);
  if (x_THd.size(2) % 2 != 0)
    throw_usage("rope: x has shape ", x_THd.sizes(), ", expected an even last axis");
  check_table("cos", places.cos_Pd, x_THd);
  check_table("sin", places.sin_Pd, x_THd);
  check_shape("rope", "sin", places.sin_Pd, places.cos_Pd.sizes());
  check_integers("rope", "positions", places.positions_T, at::kLong, {x_THd.size(0)}, x_THd);
}

void check_positions(const RopePlaces& places) {
  const int64_t num_positions = places.cos_Pd.size(0);
  const int64_t* position = places.positions_T.const_data_ptr<int64_t>();
  for (int64_t token = 0; token < places.positions_T.size(0); ++token) {
    if (position[token] < 0 || position[token] >= num_positions)
      throw_usage("rope: positions[", token, "] is ", position[token], ", expected 0 .. ",
                  num_positions - 1);
  }
}

RopePlaces contiguous(const RopePlaces& places) {
  return {places.cos_Pd.contiguous(), places.sin_Pd.contiguous(), places.positions_T.contiguous()};
}

}  // namespace

at::Tensor rope(const at::Tensor& x_THd, const RopePlaces& places) {
  RECORD_USER_SCOPE("rope");
  check_rope(x_THd, places);
  if (uses_reference(x_THd, Kernels::kCpuAndCuda)) return reference::rope(x_THd, places);
  const RopePlaces dense = contiguous(places);
  if (x_THd.is_cpu()) check_positions(dense);
  if (!wants_gradient({x_THd})) return rotated(x_THd, dense, Rotation::kForward);
  return RopeFunction::apply(x_THd, dense.cos_Pd, dense.sin_Pd, dense.positions_T);
}

void rope_into_cache(PagedCache& cache, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const at::Tensor& slots_T, const RopePlaces& places) {
  RECORD_USER_SCOPE("rope_into_cache");
  const at::NoGradGuard no_grad;
  if (!k_THd.defined() || !k_THd.is_cuda() || uses_reference(k_THd, Kernels::kCpuAndCuda))
    return write_cache(cache, rope(k_THd, places), v_THd, slots_T);
  check_rope(k_THd, places);
  check_write("rope_into_cache", cache, k_THd, v_THd, slots_T);
  cuda_ops::rope_into_cache(cache, k_THd, v_THd, slots_T, contiguous(places));
}

}  // namespace covrl::kernels

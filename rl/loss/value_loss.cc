#include "rl/loss/value_loss.h"

#include <ATen/ATen.h>

namespace covrl {

ValueLossTerms value_loss(const ValueLossInput& input, double cliprange) {
  const auto inside = [&](const at::Tensor& values) {
    return at::where(input.mask_T, values, 0.0);
  };
  const at::Tensor value_T = inside(input.value_T), old_T = inside(input.old_value_T);
  const at::Tensor return_T = inside(input.return_T);
  const at::Tensor free_T = (value_T - return_T).square();
  if (cliprange == 0) return {0.5 * free_T, at::zeros_like(input.mask_T)};
  // Not clamp: at the very edge of the range this shares the gradient as verl does.
  const at::Tensor near_T = at::maximum(at::minimum(value_T, old_T + cliprange), old_T - cliprange);
  const at::Tensor clipped_T = (near_T - return_T).square();
  return {0.5 * at::maximum(free_T, clipped_T), clipped_T > free_T};
}

}  // namespace covrl

#include <ATen/ATen.h>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/rope_cuda.h"

namespace covrl::kernels::cuda_ops {
namespace {

RopeAngles angles_of(const RopePlaces& places) {
  return {places.cos_Pd.const_data_ptr<float>(), places.sin_Pd.const_data_ptr<float>(),
          places.positions_T.const_data_ptr<int64_t>()};
}

}  // namespace

at::Tensor rope(const at::Tensor& x_THd, const RopePlaces& places, Rotation rotation) {
  const at::Tensor x = x_THd.contiguous(), y = at::empty_like(x);
  RopeHeads heads;
  heads.x_THd = x.const_data_ptr();
  heads.y_THd = y.data_ptr();
  heads.type = cuda_type(x);
  heads.angles = angles_of(places);
  heads.num_tokens = x.size(0);
  heads.num_heads = x.size(1);
  heads.head_size = x.size(2);
  heads.direction = rotation == Rotation::kForward ? 1.0f : -1.0f;
  check_launch(rope_cuda(heads, stream_of(x)), "rope", x);
  return y;
}

void rope_into_cache(PagedCache& cache, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const at::Tensor& slots_T, const RopePlaces& places) {
  const at::Tensor k = k_THd.contiguous(), v = v_THd.contiguous(), slots = slots_T.contiguous();
  RopeIntoCache heads;
  heads.k_THd = k.const_data_ptr();
  heads.v_THd = v.const_data_ptr();
  heads.cache_k = cache.k_PSHd.data_ptr();
  heads.cache_v = cache.v_PSHd.data_ptr();
  heads.type = cuda_type(k);
  heads.angles = angles_of(places);
  heads.slots_T = slots.const_data_ptr<int64_t>();
  heads.num_tokens = k.size(0);
  heads.num_heads = k.size(1);
  heads.head_size = k.size(2);
  check_launch(rope_into_cache_cuda(heads, stream_of(k)), "rope_into_cache", k);
}

}  // namespace covrl::kernels::cuda_ops

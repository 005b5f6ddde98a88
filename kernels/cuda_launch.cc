#include "kernels/cuda_launch.h"

#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

#include "core/error.h"

namespace covrl::kernels::cuda_ops {

CudaType cuda_type(const at::Tensor& tensor) {
  if (tensor.scalar_type() == at::kBFloat16) return CudaType::kBFloat16;
  if (tensor.scalar_type() == at::kHalf) return CudaType::kFloat16;
  COVRL_CHECK(tensor.scalar_type() == at::kFloat, "a CUDA kernel for ", tensor.scalar_type());
  return CudaType::kFloat32;
}

cudaStream_t stream_of(const at::Tensor& tensor) {
  const c10::DeviceIndex device = c10::cuda::current_device();
  COVRL_CHECK(tensor.device().index() == device, "a tensor on ", tensor.device(),
              " while the current device is cuda:", static_cast<int>(device));
  return c10::cuda::getCurrentCUDAStream(device).stream();
}

void check_launch(cudaError_t status, const char* op, const at::Tensor& input) {
  if (status != cudaSuccess)
    throw_runtime(op, ": the CUDA launch for ", input.scalar_type(), " of shape ", input.sizes(),
                  " on ", input.device(), " failed: ", cudaGetErrorString(status),
                  status == cudaErrorInvalidValue
                      ? "; a size that the kernel does not take: model.kernels=reference takes any"
                      : "");
}

}  // namespace covrl::kernels::cuda_ops

// Functions that the CPU's loops and the CUDA kernels share.
#pragma once

#if defined(__CUDACC__)
#define COVRL_HOST_DEVICE __host__ __device__ inline
#else
#define COVRL_HOST_DEVICE inline
#endif

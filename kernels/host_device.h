// Functions that the CPU's loops and the CUDA kernels share.
#pragma once

// COVRL_TOKEN_FUNCTION: what a loop does with a token; the CPU's has to be part of the loop, which
// is compiled for several instruction sets (vector_clones.h).
#if defined(__CUDACC__)
#define COVRL_HOST_DEVICE __host__ __device__ inline
#define COVRL_TOKEN_FUNCTION __device__ inline
#else
#define COVRL_HOST_DEVICE inline
#define COVRL_TOKEN_FUNCTION static inline __attribute__((always_inline))
#endif

// The table of the instruction set that the includer is compiled for.
#pragma once

#include "kernels/cpu_kernels.h"
#include "kernels/simd/covariance.h"
#include "kernels/simd/gemm.h"
#include "kernels/simd/rms_norm.h"
#include "kernels/simd/rope.h"
#include "kernels/simd/softmax.h"
#include "kernels/simd/swiglu.h"

namespace covrl::kernels {
namespace {

constexpr CpuKernels kTable = {
    .panel_width = kPanelWidth,
    .bfloat16 = {kTileRows, pack_transposed<Bfloat16>, pack_rows, multiply<Bfloat16>,
                 multiply_row<Bfloat16>},
    .tile_rows = kTileRows,
    .pack_transposed = pack_transposed<float>,
    .pack_rows = pack_rows,
    .multiply = multiply<float>,
    .multiply_row = multiply_row<float>,
    .sum_rows = sum_rows,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .rope = rope,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .softmax = softmax,
    .scale = scale,
    .dot = dot,
    .softmax_backward = softmax_backward,
    .covariance_float = {moment_sums<float>, quick_moment_sums, covariance_band<float>},
    .covariance_double = {moment_sums<double>, quick_moment_sums, covariance_band<double>},
    .small_draws = small_draws,
};

}  // namespace
}  // namespace covrl::kernels

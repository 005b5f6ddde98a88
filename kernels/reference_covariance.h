// Plain-torch oracle of covariance.h: means and products in double, whole sorts, on any device.
#pragma once

#include "kernels/covariance.h"

namespace covrl::kernels::reference {

CovarianceMoments covariance_moments(const CovarianceInput& input);
at::Tensor covariance(const CovarianceInput& input);
CovarianceSelection select_largest_covariance(const CovarianceInput& input, int64_t number);
CovarianceSelection select_in_covariance_band(const CovarianceInput& input,
                                              const CovarianceBand& band, int64_t number,
                                              uint64_t seed, uint64_t step);

}  // namespace covrl::kernels::reference

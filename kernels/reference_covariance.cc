#include "kernels/reference_covariance.h"

#include <ATen/ATen.h>

#include "core/rng.h"

namespace covrl::kernels::reference {
namespace {

// Scalar; exactly the value where all are equal.
at::Tensor mean_in(const at::Tensor& values_T, const at::Tensor& mask_T) {
  const at::Tensor inside = values_T.masked_select(mask_T).to(at::kDouble);
  if (inside.numel() == 0) return at::zeros({}, inside.options());
  const at::Tensor mean = at::where((inside == inside[0]).all(), inside[0], inside.mean());
  return mean + (mean - mean);  // NaN where it is infinite
}

// Places inside the mask of the `number` largest values, equal ones by id.
at::Tensor largest(const at::Tensor& values_T, const at::Tensor& mask_T, const at::Tensor& id_T,
                   int64_t number) {
  at::Tensor places = at::nonzero(mask_T).flatten();
  places = places.index_select(0, id_T.index_select(0, places).argsort());
  const at::Tensor order =
      values_T.index_select(0, places).argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  return places.index_select(0, order).slice(0, 0, number);
}

at::Tensor ids_of(const CovarianceInput& input) {
  return input.id_T.defined() ? input.id_T : at::tensor(input.ids.column(), at::kLong);
}

// Larger for the smaller draw.
at::Tensor draw_keys(const at::Tensor& id_T, uint64_t seed, uint64_t step) {
  const at::Tensor ids = id_T.cpu(), keys = at::empty_like(ids);
  const int64_t* id = ids.const_data_ptr<int64_t>();
  for (int64_t t = 0; t < ids.numel(); ++t) {
    const uint64_t bits = random_bits(
        seed, Stream::kClipCov,
        {step, static_cast<uint64_t>(id[t]) >> 32, static_cast<uint32_t>(id[t] & 0xffffffff), 0});
    // From the order of unsigned integers to that of signed ones, reversed.
    keys.data_ptr<int64_t>()[t] = static_cast<int64_t>(~bits ^ uint64_t{1} << 63);
  }
  return keys.to(id_T.device());
}

CovarianceSelection selection(const CovarianceInput& input, const at::Tensor& places,
                              const at::Tensor& candidates_T) {
  const at::Tensor num_candidates = candidates_T.sum().view({1});
  if (!input.mask_T.is_cpu())
    return {at::zeros_like(input.mask_T).index_fill_(0, places, true), num_candidates};
  const at::Tensor order = places.contiguous();
  const int64_t* data = order.const_data_ptr<int64_t>();
  return {SelectedPlaces{{data, data + order.numel()}, num_candidates.item<int64_t>()},
          input.mask_T.numel()};
}

}  // namespace

CovarianceMoments covariance_moments(const CovarianceInput& input) {
  return {input.mask_T.sum().item<int64_t>(), mean_in(input.logprob_T, input.mask_T).item<double>(),
          mean_in(input.advantage_T, input.mask_T).item<double>()};
}

at::Tensor covariance(const CovarianceInput& input) {
  const auto centred = [&](const at::Tensor& values_T) {
    return values_T.to(at::kDouble) - mean_in(values_T, input.mask_T);
  };
  return at::where(input.mask_T, centred(input.logprob_T) * centred(input.advantage_T), 0.0);
}

CovarianceSelection select_largest_covariance(const CovarianceInput& input, int64_t number) {
  const at::Tensor covariance_T = reference::covariance(input);
  const at::Tensor candidates_T = input.mask_T & (covariance_T != 0).any(),
                   values_T = at::where(covariance_T == covariance_T, covariance_T, 0.0);
  return selection(input, largest(values_T, candidates_T, ids_of(input), number), candidates_T);
}

CovarianceSelection select_in_covariance_band(const CovarianceInput& input,
                                              const CovarianceBand& band, int64_t number,
                                              uint64_t seed, uint64_t step) {
  const at::Tensor covariance_T = reference::covariance(input);
  at::Tensor candidates_T =
      input.mask_T & (covariance_T > band.lower) & (covariance_T < band.upper);
  if (band.excluded_T.defined()) candidates_T = candidates_T & (band.excluded_T == false);
  const at::Tensor id_T = ids_of(input);
  return selection(input, largest(draw_keys(id_T, seed, step), candidates_T, id_T, number),
                   candidates_T);
}

}  // namespace covrl::kernels::reference

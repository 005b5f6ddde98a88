#include "kernels/covariance.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "core/error.h"
#include "core/rng.h"
#include "kernels/best_of.h"
#include "kernels/covariance_cpu.h"
#include "kernels/cpu_kernels.h"
#include "kernels/cuda_ops.h"
#include "kernels/mode.h"
#include "kernels/parallel.h"
#include "kernels/reference_covariance.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kBlock = 4096;     // tokens between two looks at what has been found
constexpr int64_t kGrain = 1 << 16;  // tokens a thread takes at least
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_column(const CovarianceInput& input, const char* name, const at::Tensor& column,
                  at::ScalarType dtype) {
  const int64_t count = input.mask_T.numel();
  const at::Device device = input.logprob_T.device();
  if (column.scalar_type() != dtype || !column.is_contiguous() || column.numel() != count ||
      column.device() != device)
    throw_usage("covariance: ", name, " is ", column.scalar_type(), " of shape ", column.sizes(),
                " on ", column.device(), ", expected contiguous ", dtype, " with ", count,
                " elements on ", device);
}

void check_input(const CovarianceInput& input) {
  const at::ScalarType type =
      input.logprob_T.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  check_column(input, "logprob", input.logprob_T, type);
  check_column(input, "advantage", input.advantage_T, type);
  check_column(input, "mask", input.mask_T, at::kBool);
  COVRL_CHECK(input.mask_T.numel() <= kMostMomentTokens, input.mask_T.numel(), " tokens");
}

void check_selection(const CovarianceInput& input, int64_t number) {
  check_input(input);
  if (!input.logprob_T.is_cpu())
    check_column(input, "id", input.id_T, at::kLong);
  else if (input.ids.size() != input.mask_T.numel())
    throw_usage("covariance: ", input.ids.size(), " ids of ", input.mask_T.numel(), " tokens");
  COVRL_CHECK(number >= 0, "select ", number, " tokens");
}

bool has_kernel(const CovarianceInput& input) {
  return mode() == Mode::kFast &&
         (input.logprob_T.is_cpu() ||
          (input.logprob_T.is_cuda() && input.logprob_T.scalar_type() == at::kFloat));
}

// A part of the input as its loops see it.
template <class T>
struct Columns : CovarianceRange<T> {
  const CovarianceLoops<T>& loops;

  Columns(const CovarianceInput& input, const CovarianceLoops<T>& loops)
      : CovarianceRange<T>{input.logprob_T.const_data_ptr<T>(),
                           input.advantage_T.const_data_ptr<T>(),
                           input.mask_T.const_data_ptr<bool>(), input.mask_T.numel()},
        loops(loops) {}

  CovarianceRange<T> part(int64_t begin, int64_t end) const {
    return {this->logprob + begin, this->advantage + begin, this->mask + begin, end - begin};
  }
  double covariance_of(int64_t t, const CovarianceMoments& moments) const {
    return this->covariance(t, moments.mean_logprob, moments.mean_advantage);
  }
};

// body(columns) for the type that the input is stored as.
template <class Body>
auto with_columns(const CovarianceInput& input, const Body& body) {
  if (input.logprob_T.scalar_type() == at::kDouble)
    return body(Columns<double>(input, cpu_kernels().covariance_double));
  return body(Columns<float>(input, cpu_kernels().covariance_float));
}

template <class T>
MomentSums sums_at(const Columns<T>& columns, int logprob_scale, int advantage_scale) {
  MomentSums total;
  std::mutex mutex;
  parallel_for(columns.count, kGrain, [&](int64_t begin, int64_t end) {
    MomentSums own;
    const CovarianceRange<T> part = columns.part(begin, end);
    const bool unscaled = logprob_scale == 0 && advantage_scale == 0;
    if (!unscaled || !columns.loops.quick_moment_sums(part, own))
      columns.loops.moment_sums(part, split_constants(logprob_scale),
                                split_constants(advantage_scale), own);
    const std::lock_guard lock(mutex);
    total.add(own);
  });
  return total;
}

template <class T>
CovarianceMoments moments_of(const Columns<T>& columns) {
  MomentSums sums = sums_at(columns, 0, 0);
  const int logprob_scale = exact_scale(sums.logprob, sums.count),
            advantage_scale = exact_scale(sums.advantage, sums.count);
  if (logprob_scale > 0 || advantage_scale > 0)
    sums = sums_at(columns, std::max(0, logprob_scale), std::max(0, advantage_scale));
  return {sums.count, mean_of(sums.logprob, sums, logprob_scale),
          mean_of(sums.advantage, sums, advantage_scale)};
}

// Blocks of tokens: the first `length` of each `step` in begin .. end-1.
struct Blocks {
  int64_t begin = 0, end = 0;
  int64_t length = kBlock, step = kBlock;
};
// A part of the tokens, spread over all, that tells what to expect of the rest.
constexpr int64_t kSampled = 16;
Blocks sample_of(int64_t count) { return {0, count, 64, 64 * kSampled}; }

// Calls visit(first, places, number) for each block with those of its tokens that have lower() <
// covariance < upper and are not excluded: tokens first + place. In order; kPlaceSlack more places
// may be written.
template <class T, class Lower, class Visit>
void scan(const Columns<T>& columns, const CovarianceMoments& moments, const Blocks& blocks,
          const Lower& lower, double upper, const bool* excluded, const Visit& visit) {
  int32_t places[kBlock + kPlaceSlack] = {};
  for (int64_t first = blocks.begin; first < blocks.end; first += blocks.step) {
    const CovarianceLimits limits = {moments.mean_logprob, moments.mean_advantage, lower(), upper,
                                     excluded == nullptr ? nullptr : excluded + first};
    const int64_t end = std::min(blocks.end, first + blocks.length);
    const int64_t number = columns.loops.band(columns.part(first, end), limits, places);
    visit(first, places, number);
  }
}

// Offers the covariances in the blocks that are not below the threshold.
template <class T>
void offer(const Columns<T>& columns, const CovarianceMoments& moments, const Blocks& blocks,
           BestOf<double>& best) {
  scan(
      columns, moments, blocks, [&best] { return std::nextafter(best.threshold(), -kInfinity); },
      kInfinity,
      /*excluded=*/nullptr,
      [&](int64_t first, const int32_t* places, int64_t number) {
        for (int64_t i = 0; i < number; ++i)
          best.offer(columns.covariance_of(first + places[i], moments), first + places[i]);
      });
}

// What about `number` tokens, rather more than fewer, are not below.
template <class T>
double guess_threshold(const Columns<T>& columns, const CovarianceMoments& moments, int64_t number,
                       const TokenIds& ids) {
  BestOf<double> sample(number / kSampled * 3 / 2 + 32, -kInfinity, ids);
  offer(columns, moments, sample_of(columns.count), sample);
  return sample.lowest();
}

// The largest of the covariances that are not below `threshold`.
template <class T>
BestOf<double> best_above(double threshold, const Columns<T>& columns,
                          const CovarianceMoments& moments, int64_t number, const TokenIds& ids) {
  BestOf<double> best(number, threshold, ids);
  std::mutex mutex;
  parallel_for(columns.count, kGrain, [&](int64_t begin, int64_t end) {
    BestOf<double> own(number, threshold, ids);
    offer(columns, moments, {begin, end}, own);
    const std::lock_guard lock(mutex);
    best.offer(own);
  });
  return best;
}

// The tokens of the smallest draws among those whose draw is at most a limit.
class BandDraws {
 public:
  BandDraws(int64_t number, uint64_t limit, const TokenIds& ids, const DrawKey& key)
      : best_(number, ~limit, ids), ids_(ids), key_(key) {}

  // Tokens first + place, at most kBlock.
  void add(int64_t first, int32_t* places, int64_t number) {
    if (number == 0) return;
    std::fill_n(places + number, kDrawSlack, places[number - 1]);
    const int64_t num_small = cpu_kernels().small_draws({first, places, number, ids_.run_of(first)},
                                                        key_, ~best_.threshold(), bits_, indices_);
    for (int64_t i = 0; i < num_small; ++i) best_.offer(~bits_[i], first + places[indices_[i]]);
    num_candidates_ += number;
  }
  void add(const BandDraws& other) {
    best_.offer(other.best_);
    num_candidates_ += other.num_candidates_;
  }
  bool complete(int64_t number) const { return best_.size() == std::min(number, num_candidates_); }
  SelectedPlaces selected() { return {best_.places(), num_candidates_}; }

 private:
  BestOf<uint64_t> best_;  // of the complements
  const TokenIds& ids_;
  DrawKey key_;
  int64_t num_candidates_ = 0;
  uint64_t bits_[kBlock];
  int32_t indices_[kBlock];
};

// A uniform choice among the tokens of a band, as select_in_covariance_band's contract has it.
template <class T>
class BandChooser {
 public:
  BandChooser(const Columns<T>& columns, const CovarianceMoments& moments,
              const CovarianceBand& band, const TokenIds& ids, const DrawKey& key)
      : columns_(columns), moments_(moments), band_(band), ids_(ids), key_(key) {}

  SelectedPlaces choose(int64_t number) const {
    BandDraws draws = draws_up_to(guess_limit(number), number);
    return draws.complete(number) ? draws.selected() : draws_up_to(kMostBits, number).selected();
  }

 private:
  static constexpr uint64_t kMostBits = std::numeric_limits<uint64_t>::max();

  template <class Visit>
  void scan_band(const Blocks& blocks, const Visit& visit) const {
    const at::Tensor& excluded_T = band_.excluded_T;
    scan(
        columns_, moments_, blocks, [this] { return band_.lower; }, band_.upper,
        excluded_T.defined() ? excluded_T.const_data_ptr<bool>() : nullptr, visit);
  }

  // What the draws of about `number` tokens, rather more than fewer, are at most.
  uint64_t guess_limit(int64_t number) const {
    int64_t num_sampled = 0;
    scan_band(sample_of(columns_.count),
              [&](int64_t, const int32_t*, int64_t found) { num_sampled += found; });
    const double share =
        static_cast<double>(2 * number + 64) / static_cast<double>(kSampled * num_sampled);
    return share < 1 ? static_cast<uint64_t>(share * 0x1p64) : kMostBits;
  }

  // The smallest of the draws that are at most a limit.
  BandDraws draws_up_to(uint64_t limit, int64_t number) const {
    BandDraws all(number, limit, ids_, key_);
    std::mutex mutex;
    parallel_for(columns_.count, kGrain, [&](int64_t begin, int64_t end) {
      BandDraws own(number, limit, ids_, key_);
      scan_band({begin, end}, [&own](int64_t first, int32_t* places, int64_t found) {
        own.add(first, places, found);
      });
      const std::lock_guard lock(mutex);
      all.add(own);
    });
    return all;
  }

  const Columns<T>& columns_;
  const CovarianceMoments& moments_;
  const CovarianceBand& band_;
  const TokenIds& ids_;
  DrawKey key_;
};

at::Tensor covariance_cpu(const CovarianceInput& input) {
  at::Tensor result = at::empty(input.mask_T.sizes(), at::kDouble);
  double* values = result.mutable_data_ptr<double>();
  with_columns(input, [&](const auto& columns) {
    const CovarianceMoments moments = moments_of(columns);
    parallel_for(columns.count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t)
        values[t] = columns.mask[t] ? columns.covariance_of(t, moments) : 0.0;
    });
  });
  return result;
}

template <class T>
bool any_covariance(const Columns<T>& columns, const CovarianceMoments& moments) {
  for (int64_t t = 0; t < columns.count; ++t)
    if (columns.mask[t] && columns.covariance_of(t, moments) != 0) return true;
  return false;
}

// Those of the smallest ids, where no covariance is a number.
std::vector<int64_t> first_by_id(const CovarianceInput& input, int64_t number) {
  const bool* mask = input.mask_T.const_data_ptr<bool>();
  BestOf<double> best(number, 0, input.ids);
  for (int64_t t = 0; t < input.mask_T.numel(); ++t)
    if (mask[t]) best.offer(0, t);
  return best.places();
}

SelectedPlaces select_largest_cpu(const CovarianceInput& input, int64_t number) {
  return with_columns(input, [&](const auto& columns) -> SelectedPlaces {
    const CovarianceMoments moments = moments_of(columns);
    if (std::isnan(moments.mean_logprob) || std::isnan(moments.mean_advantage))
      return {first_by_id(input, number), moments.count};
    if (!any_covariance(columns, moments)) return {};
    const double guess = guess_threshold(columns, moments, number, input.ids);
    BestOf<double> best = best_above(guess, columns, moments, number, input.ids);
    if (best.size() < std::min(number, moments.count))
      best = best_above(-kInfinity, columns, moments, number, input.ids);
    return {best.places(), moments.count};
  });
}

SelectedPlaces select_in_band_cpu(const CovarianceInput& input, const CovarianceBand& band,
                                  int64_t number, const DrawKey& key) {
  return with_columns(input, [&](const auto& columns) {
    const CovarianceMoments moments = moments_of(columns);
    return BandChooser(columns, moments, band, input.ids, key).choose(number);
  });
}

}  // namespace

at::Tensor CovarianceSelection::mask_T() const {
  if (selected_T_.defined()) return selected_T_;
  at::Tensor mask_T = at::zeros({num_tokens_}, at::kBool);
  bool* data = mask_T.mutable_data_ptr<bool>();
  for (const int64_t place : places_.places) data[place] = true;
  return mask_T;
}

SelectedPlaces CovarianceSelection::on_host() const {
  if (!selected_T_.defined()) return places_;
  const at::Tensor places = at::nonzero(selected_T_.cpu()).flatten();
  const int64_t* data = places.const_data_ptr<int64_t>();
  return {{data, data + places.numel()}, num_candidates_.cpu().item<int64_t>()};
}

CovarianceMoments covariance_moments(const CovarianceInput& input) {
  check_input(input);
  if (!has_kernel(input)) return reference::covariance_moments(input);
  if (input.logprob_T.is_cuda()) return cuda_ops::covariance_moments(input);
  return with_columns(input, [](const auto& columns) { return moments_of(columns); });
}

at::Tensor covariance(const CovarianceInput& input) {
  check_input(input);
  if (!has_kernel(input)) return reference::covariance(input);
  return input.logprob_T.is_cuda() ? cuda_ops::covariance(input) : covariance_cpu(input);
}

CovarianceSelection select_largest_covariance(const CovarianceInput& input, int64_t number) {
  check_selection(input, number);
  if (!has_kernel(input)) return reference::select_largest_covariance(input, number);
  if (input.logprob_T.is_cuda()) return cuda_ops::select_largest_covariance(input, number);
  return {select_largest_cpu(input, number), input.mask_T.numel()};
}

CovarianceSelection select_in_covariance_band(const CovarianceInput& input,
                                              const CovarianceBand& band, int64_t number,
                                              uint64_t seed, uint64_t step) {
  check_selection(input, number);
  if (band.excluded_T.defined()) check_column(input, "excluded", band.excluded_T, at::kBool);
  COVRL_CHECK(step <= std::numeric_limits<uint32_t>::max(), "step ", step);
  if (!has_kernel(input))
    return reference::select_in_covariance_band(input, band, number, seed, step);
  const DrawKey key = {philox_key(seed, Stream::kClipCov), static_cast<uint32_t>(step)};
  if (input.logprob_T.is_cuda())
    return cuda_ops::select_in_covariance_band(input, band, number, key);
  return {select_in_band_cpu(input, band, number, key), input.mask_T.numel()};
}

}  // namespace covrl::kernels

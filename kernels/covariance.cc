#include "kernels/covariance.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "kernels/best_of.h"
#include "kernels/covariance_cpu.h"
#include "kernels/parallel.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kGrain = 16 * kMomentBlock;  // tokens a thread takes at least
constexpr double kNone = -std::numeric_limits<double>::infinity();

void check_column(const char* name, const at::Tensor& column, at::ScalarType dtype, int64_t count) {
  if (column.scalar_type() != dtype || !column.is_contiguous() || column.numel() != count ||
      !column.is_cpu())
    throw_usage("covariance: ", name, " is ", column.scalar_type(), " of shape ", column.sizes(),
                " on ", column.device(), ", expected contiguous ", dtype, " with ", count,
                " elements on the CPU");
}

void check_input(const CovarianceInput& input) {
  const int64_t count = input.mask_T.numel();
  check_column("logprob", input.logprob_T, at::kFloat, count);
  check_column("advantage", input.advantage_T, at::kFloat, count);
  check_column("mask", input.mask_T, at::kBool, count);
}

CovarianceRange range_of(const CovarianceInput& input, int64_t begin, int64_t end) {
  return {input.logprob_T.const_data_ptr<float>() + begin,
          input.advantage_T.const_data_ptr<float>() + begin,
          input.mask_T.const_data_ptr<bool>() + begin, end - begin};
}

// Calls visit(first, covariances, count) for the groups of tokens in begin .. end-1 that hold a
// value of at least `threshold()`.
template <class Threshold, class Visit>
void scan(const CovarianceInput& input, const CovarianceMoments& moments, int64_t begin,
          int64_t end, const Threshold& threshold, const Visit& visit) {
  double values[kScanBlock], largest[kScanBlock / kScanGroup];
  for (int64_t first = begin; first < end; first += kScanBlock) {
    const CovarianceRange range = range_of(input, first, std::min(end, first + kScanBlock));
    covariance_range(range, moments.mean_logprob, moments.mean_advantage, values, largest);
    for (int64_t group = 0; group * kScanGroup < range.count; ++group) {
      const double most = largest[group];
      if (most == kNone || !(most >= threshold())) continue;
      const int64_t offset = group * kScanGroup;
      visit(first + offset, values + offset, std::min(kScanGroup, range.count - offset));
    }
  }
}

at::Tensor mark(const std::vector<int64_t>& places, int64_t count) {
  at::Tensor selected = at::zeros({count}, at::kBool);
  bool* data = selected.mutable_data_ptr<bool>();
  for (const int64_t place : places) data[place] = true;
  return selected;
}

template <class Value>
at::Tensor mark(BestOf<Value>& best, int64_t count) {
  std::vector<int64_t> places;
  for (const Candidate<Value>& candidate : best.take()) places.push_back(candidate.place);
  return mark(places, count);
}

// The band's tokens among begin .. end-1, by their draws (the smallest are the best).
struct BandScan {
  BestOf<uint64_t> best;
  int64_t num_candidates = 0;
  std::vector<int64_t> ids, places;  // not drawn yet

  explicit BandScan(int64_t number) : best(number, 0) {}

  void draw(uint32_t step, std::array<uint32_t, 2> key) {
    std::vector<uint64_t> bits(ids.size());
    draw_bits(ids.data(), static_cast<int64_t>(ids.size()), step, key, bits.data());
    for (size_t i = 0; i < ids.size(); ++i) best.offer({~bits[i], ids[i], places[i]});
    num_candidates += static_cast<int64_t>(ids.size());
    ids.clear();
    places.clear();
  }
};

}  // namespace

CovarianceMoments covariance_moments(const CovarianceInput& input) {
  check_input(input);
  const int64_t count = input.mask_T.numel();
  std::vector<MomentSums> blocks(static_cast<size_t>((count + kMomentBlock - 1) / kMomentBlock));
  parallel_for(
      static_cast<int64_t>(blocks.size()), kGrain / kMomentBlock, [&](int64_t begin, int64_t end) {
        for (int64_t block = begin; block < end; ++block)
          blocks[static_cast<size_t>(block)] = moment_sums(
              range_of(input, block * kMomentBlock, std::min(count, (block + 1) * kMomentBlock)));
      });
  MomentSums sums;
  for (const MomentSums& block : blocks) {
    sums.logprob += block.logprob;
    sums.advantage += block.advantage;
    sums.count += block.count;
  }
  CovarianceMoments moments;
  moments.count = sums.count;
  if (sums.count > 0) {
    moments.mean_logprob = sums.logprob / static_cast<double>(sums.count);
    moments.mean_advantage = sums.advantage / static_cast<double>(sums.count);
  }
  return moments;
}

at::Tensor covariance(const CovarianceInput& input, const CovarianceMoments& moments) {
  check_input(input);
  at::Tensor result = at::empty(input.mask_T.sizes(), at::kDouble);
  double* values = result.mutable_data_ptr<double>();
  parallel_for(input.mask_T.numel(), kGrain, [&](int64_t begin, int64_t end) {
    covariance_range(range_of(input, begin, end), moments.mean_logprob, moments.mean_advantage,
                     values + begin, nullptr);
  });
  return result.masked_fill_(input.mask_T.logical_not(), 0.0);
}

at::Tensor select_largest_covariance(const CovarianceInput& input, const CovarianceMoments& moments,
                                     int64_t number) {
  check_input(input);
  check_column("id", input.id_T, at::kLong, input.mask_T.numel());
  COVRL_CHECK(number >= 0, "select ", number, " tokens");
  const int64_t* ids = input.id_T.const_data_ptr<int64_t>();
  BestOf<double> best(number, kNone);
  std::mutex mutex;
  parallel_for(input.mask_T.numel(), kGrain, [&](int64_t begin, int64_t end) {
    BestOf<double> own(number, kNone);
    scan(
        input, moments, begin, end, [&own] { return own.threshold(); },
        [&](int64_t first, const double* values, int64_t count) {
          for (int64_t i = 0; i < count; ++i)
            if (values[i] != kNone && values[i] >= own.threshold())
              own.offer({values[i], ids[first + i], first + i});
        });
    const std::lock_guard lock(mutex);
    best.offer(own);
  });
  return mark(best, input.mask_T.numel());
}

BandSelection select_in_covariance_band(const CovarianceInput& input,
                                        const CovarianceMoments& moments,
                                        const CovarianceBand& band, int64_t number, uint64_t seed,
                                        uint64_t step) {
  check_input(input);
  const int64_t num_tokens = input.mask_T.numel();
  check_column("id", input.id_T, at::kLong, num_tokens);
  if (band.excluded_T.defined()) check_column("excluded", band.excluded_T, at::kBool, num_tokens);
  COVRL_CHECK(number >= 0, "select ", number, " tokens");
  const int64_t* ids = input.id_T.const_data_ptr<int64_t>();
  const bool* excluded =
      band.excluded_T.defined() ? band.excluded_T.const_data_ptr<bool>() : nullptr;
  const std::array<uint32_t, 2> key = philox_key(seed, Stream::kClipCov);
  BandScan all(number);
  std::mutex mutex;
  parallel_for(num_tokens, kGrain, [&](int64_t begin, int64_t end) {
    BandScan own(number);
    scan(
        input, moments, begin, end, [&band] { return band.lower; },
        [&](int64_t first, const double* values, int64_t count) {
          for (int64_t i = 0; i < count; ++i) {
            if (!(values[i] > band.lower && values[i] < band.upper)) continue;
            if (excluded != nullptr && excluded[first + i]) continue;
            own.ids.push_back(ids[first + i]);
            own.places.push_back(first + i);
          }
          if (own.ids.size() >= kMomentBlock) own.draw(static_cast<uint32_t>(step), key);
        });
    own.draw(static_cast<uint32_t>(step), key);
    const std::lock_guard lock(mutex);
    all.best.offer(own.best);
    all.num_candidates += own.num_candidates;
  });
  return {mark(all.best, num_tokens), all.num_candidates};
}

}  // namespace covrl::kernels

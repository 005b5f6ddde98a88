#include "kernels/covariance_cuda.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "tests/kernels/cuda_support.h"

namespace covrl::kernels {
namespace {

struct Tokens {
  std::vector<float> logprob, advantage;
  std::vector<char> mask;
  std::vector<int64_t> ids;

  size_t size() const { return mask.size(); }
};

// Log-probs with many ties, advantages of three kinds, a ragged mask with NaN outside, ids in a
// scattered order.
Tokens make_tokens(size_t count, double masked_share, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::bernoulli_distribution masked(masked_share);
  Tokens tokens;
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), engine);
  for (size_t t = 0; t < count; ++t) {
    const bool inside = !masked(engine);
    tokens.mask.push_back(inside);
    tokens.logprob.push_back(inside ? std::round(8 * normal(engine)) / 8 : NAN);
    tokens.advantage.push_back(inside ? static_cast<float>(engine() % 3) - 0.7f : NAN);
    tokens.ids.push_back(order[t] * ((int64_t{1} << 33) + 7));
  }
  return tokens;
}

// The definition, in a sum of 128 bits and comparisons of doubles.
struct Reference {
  double mean_logprob = 0, mean_advantage = 0;
  std::vector<size_t> places;  // in the mask
  std::vector<double> covariance;

  explicit Reference(const Tokens& tokens) : covariance(tokens.size()) {
    for (size_t t = 0; t < tokens.size(); ++t)
      if (tokens.mask[t]) places.push_back(t);
    mean_logprob = mean(tokens.logprob);
    mean_advantage = mean(tokens.advantage);
    for (const size_t t : places)
      covariance[t] = (static_cast<double>(tokens.logprob[t]) - mean_logprob) *
                      (static_cast<double>(tokens.advantage[t]) - mean_advantage);
  }

  double mean(const std::vector<float>& values) const {
    long double sum = 0;  // 64 bits: exact for these values
    for (const size_t t : places) sum += values[t];
    return places.empty() ? 0 : static_cast<double>(sum / places.size());
  }

  std::set<size_t> largest(const Tokens& tokens, size_t number) const {
    std::vector<size_t> order = places;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return covariance[a] != covariance[b] ? covariance[a] > covariance[b]
                                            : tokens.ids[a] < tokens.ids[b];
    });
    order.resize(std::min(number, order.size()));
    return {order.begin(), order.end()};
  }

  // By the draws of Philox4x32-10.
  std::vector<size_t> band(const Tokens& tokens, const CovarianceBandChoice& wanted,
                           const std::vector<char>& excluded) const {
    std::vector<std::pair<uint64_t, size_t>> draws;
    for (const size_t t : places)
      if (covariance[t] > wanted.lower && covariance[t] < wanted.upper && !excluded[t])
        draws.emplace_back(draw(tokens.ids[t], wanted), t);
    std::sort(draws.begin(), draws.end());
    std::vector<size_t> order;
    for (const auto& [bits, t] : draws) order.push_back(t);
    return order;
  }

  static uint64_t draw(int64_t id, const CovarianceBandChoice& wanted) {
    std::array<uint32_t, 4> c = {wanted.step, static_cast<uint32_t>(id >> 32),
                                 static_cast<uint32_t>(id), 0};
    uint32_t k0 = wanted.key[0], k1 = wanted.key[1];
    for (int round = 0; round < 10; ++round) {
      const uint64_t p = uint64_t{0xD2511F53u} * c[0], q = uint64_t{0xCD9E8D57u} * c[2];
      c = {static_cast<uint32_t>(q >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(q),
           static_cast<uint32_t>(p >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p)};
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    return uint64_t{c[0]} << 32 | c[1];
  }
};

bool* as_bools(DeviceBuffer<char>& buffer) { return reinterpret_cast<bool*>(buffer.data()); }

// Tokens on the device, `shift` elements past an aligned address.
class OnDevice {
 public:
  explicit OnDevice(const Tokens& tokens, size_t shift = 0, DeviceReduce reduce = {})
      : shift_(shift),
        reduce_(std::move(reduce)),
        logprob_(shifted(tokens.logprob)),
        advantage_(shifted(tokens.advantage)),
        mask_(shifted(tokens.mask)),
        ids_(shifted(tokens.ids)),
        selected_(tokens.size() + shift),
        state_(1),
        count_(static_cast<int64_t>(tokens.size())) {
    check_cuda(covariance_moments_cuda(tokens_(), state_.data(), nullptr, reduce_));
  }

  CovarianceState state() const { return state_.host()[0]; }

  std::vector<double> covariance() {
    DeviceBuffer<double> values(static_cast<size_t>(count_) + shift_);
    check_cuda(covariance_cuda(tokens_(), state_.data(), values.data() + shift_, nullptr));
    return unshifted(values);
  }
  std::set<size_t> largest(LargestCovariance wanted) {
    check_cuda(select_largest_covariance_cuda(tokens_(), wanted, state_.data(),
                                              as_bools(selected_) + shift_, nullptr, reduce_));
    return selected();
  }
  double order_statistic(size_t above) {
    DeviceBuffer<double> value(1);
    check_cuda(covariance_order_statistic_cuda(tokens_(), static_cast<int64_t>(above),
                                               state_.data(), value.data(), nullptr, reduce_));
    return value.host()[0];
  }
  std::set<size_t> band(CovarianceBandChoice wanted, const std::vector<char>& excluded) {
    DeviceBuffer<char> on_device(excluded);
    wanted.excluded_T = as_bools(on_device);
    check_cuda(select_in_covariance_band_cuda(tokens_(), wanted, state_.data(),
                                              as_bools(selected_) + shift_, nullptr, reduce_));
    return selected();
  }

 private:
  template <class T>
  std::vector<T> shifted(const std::vector<T>& values) const {
    std::vector<T> result(shift_);
    result.insert(result.end(), values.begin(), values.end());
    return result;
  }
  template <class T>
  std::vector<T> unshifted(DeviceBuffer<T>& buffer) const {
    std::vector<T> values(static_cast<size_t>(count_));
    check_cuda(cudaDeviceSynchronize());
    check_cuda(cudaMemcpy(values.data(), buffer.data() + shift_, values.size() * sizeof(T),
                          cudaMemcpyDeviceToHost));
    return values;
  }
  std::set<size_t> selected() {
    const std::vector<char> marks = unshifted(selected_);
    std::set<size_t> places;
    for (size_t t = 0; t < marks.size(); ++t)
      if (marks[t]) places.insert(t);
    return places;
  }
  CovarianceTokens tokens_() {
    return {logprob_.data() + shift_, advantage_.data() + shift_, as_bools(mask_) + shift_,
            ids_.data() + shift_, count_};
  }

  size_t shift_;
  DeviceReduce reduce_;
  DeviceBuffer<float> logprob_, advantage_;
  DeviceBuffer<char> mask_;
  DeviceBuffer<int64_t> ids_;
  DeviceBuffer<char> selected_;
  DeviceBuffer<CovarianceState> state_;
  int64_t count_;
};

const size_t kCounts[] = {1, 3, 4, 31, 257, 4096, 4099, 20011};
const double kMaskedShares[] = {0, 0.3, 1};

template <class Check>
void for_cases(const Check& check) {
  for (const size_t count : kCounts)
    for (const double masked_share : kMaskedShares) {
      SCOPED_TRACE(std::to_string(count) + " tokens, masked " + std::to_string(masked_share));
      const Tokens tokens = make_tokens(count, masked_share);
      check(tokens, Reference(tokens));
    }
}

TEST(CovarianceCuda, MomentsAndValuesAreTheDefinitions) {
  COVRL_REQUIRE_DEVICE();
  for_cases([](const Tokens& tokens, const Reference& reference) {
    for (const size_t shift : {0, 1}) {
      OnDevice device(tokens, shift);
      const CovarianceMoments moments = device.state().moments;
      EXPECT_EQ(moments.count, reference.places.size());
      EXPECT_EQ(moments.mean_logprob, reference.mean_logprob);
      EXPECT_EQ(moments.mean_advantage, reference.mean_advantage);
      EXPECT_EQ(device.covariance(), reference.covariance);
    }
  });
}

TEST(CovarianceCuda, LargestAreThoseOfASort) {
  COVRL_REQUIRE_DEVICE();
  for_cases([](const Tokens& tokens, const Reference& reference) {
    OnDevice device(tokens);
    const size_t total = reference.places.size();
    for (const size_t number : {size_t{0}, size_t{1}, total / 50, total / 3, total, total + 5})
      EXPECT_EQ(device.largest({static_cast<int64_t>(number)}), reference.largest(tokens, number))
          << number;
    EXPECT_EQ(OnDevice(tokens, 1).largest({7}), reference.largest(tokens, 7));
  });
}

TEST(CovarianceCuda, BandIsDrawnFromBySmallestDraws) {
  COVRL_REQUIRE_DEVICE();
  for_cases([](const Tokens& tokens, const Reference& reference) {
    OnDevice device(tokens);
    std::vector<char> excluded(tokens.size());
    for (size_t t = 0; t < tokens.size(); t += 5) excluded[t] = 1;
    CovarianceBandChoice wanted{0.1, 1.5, nullptr, 0, {123, 0xfedcba98u}, 4};
    const std::vector<size_t> order = reference.band(tokens, wanted, excluded);
    for (const size_t number : {size_t{0}, size_t{1}, order.size() / 7, order.size() + 3}) {
      wanted.number = static_cast<int64_t>(number);
      const auto end = order.begin() + static_cast<int64_t>(std::min(number, order.size()));
      EXPECT_EQ(device.band(wanted, excluded), std::set<size_t>(order.begin(), end)) << number;
      EXPECT_EQ(device.state().num_candidates, order.size());
    }
  });
}

TEST(CovarianceCuda, OrderStatisticsAreThoseOfASort) {
  COVRL_REQUIRE_DEVICE();
  for_cases([](const Tokens& tokens, const Reference& reference) {
    std::vector<double> sorted;
    for (const size_t t : reference.places) sorted.push_back(reference.covariance[t]);
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    for (const size_t shift : {0, 1}) {
      OnDevice device(tokens, shift);
      const size_t total = sorted.size();
      for (const size_t above : {size_t{0}, total / 100, total / 2, total - 1})
        if (above < total) {
          EXPECT_EQ(device.order_statistic(above), sorted[above]) << above;
        }
      EXPECT_TRUE(std::isnan(device.order_statistic(total)));
    }
  });
}

TEST(CovarianceCuda, OrderChangesNoBit) {
  COVRL_REQUIRE_DEVICE();
  const Tokens tokens = make_tokens(5003, 0.2);
  Tokens turned = tokens;
  std::reverse(turned.logprob.begin(), turned.logprob.end());
  std::reverse(turned.advantage.begin(), turned.advantage.end());
  std::reverse(turned.mask.begin(), turned.mask.end());
  std::reverse(turned.ids.begin(), turned.ids.end());
  OnDevice device(tokens), other(turned);
  EXPECT_EQ(device.state().moments.mean_logprob, other.state().moments.mean_logprob);
  EXPECT_EQ(device.state().moments.mean_advantage, other.state().moments.mean_advantage);
  std::set<size_t> places;
  for (const size_t t : other.largest({60})) places.insert(tokens.size() - 1 - t);
  EXPECT_EQ(device.largest({60}), places);
}

Tokens tokens_of(const std::vector<float>& logprob, const std::vector<float>& advantage) {
  Tokens tokens{logprob, advantage, std::vector<char>(logprob.size(), 1), {}};
  for (size_t t = 0; t < logprob.size(); ++t)
    tokens.ids.push_back(static_cast<int64_t>(logprob.size() - t));
  return tokens;
}

TEST(CovarianceCuda, LargeValuesHaveExactMeansToo) {
  COVRL_REQUIRE_DEVICE();
  const std::vector<float> values = {1e30f, -1e30f, 7e29f, 1e29f, 3e29f}, ones = {1, 2, 3, 4, 5};
  const CovarianceMoments moments = OnDevice(tokens_of(values, ones)).state().moments;
  EXPECT_EQ(moments.mean_logprob, Reference(tokens_of(values, ones)).mean_logprob);
  EXPECT_EQ(moments.mean_advantage, 3);
  EXPECT_EQ(moments.count, 5);
}

TEST(CovarianceCuda, EqualValuesHaveNoCovariance) {
  COVRL_REQUIRE_DEVICE();
  std::vector<float> rising(77);
  std::iota(rising.begin(), rising.end(), 0.0f);
  for (const float value : {0.1f, 1e-44f, -7e8f}) {
    OnDevice device(tokens_of(std::vector<float>(77, value), rising));
    EXPECT_EQ(device.covariance(), std::vector<double>(77, 0.0));
    EXPECT_EQ(device.largest({2, /*none_if_all_zero=*/true}), std::set<size_t>());
    EXPECT_EQ(device.state().num_candidates, 0);
    EXPECT_EQ(device.largest({2, /*none_if_all_zero=*/false}), (std::set<size_t>{75, 76}));
  }
  OnDevice some(tokens_of({1, 2, 3}, {1, 2, 3}));
  EXPECT_EQ(some.largest({1, /*none_if_all_zero=*/true}), std::set<size_t>{2});
}

TEST(CovarianceCuda, OneBadValueMakesAllNaN) {
  COVRL_REQUIRE_DEVICE();
  for (const float bad : {NAN, -NAN, INFINITY, -INFINITY}) {
    std::vector<float> values(100, 1);
    values[70] = bad;
    OnDevice device(tokens_of(values, std::vector<float>(100, 2)));
    EXPECT_TRUE(std::isnan(device.covariance()[3])) << bad;
    EXPECT_EQ(device.largest({2, /*none_if_all_zero=*/true}), (std::set<size_t>{98, 99}));
    EXPECT_TRUE(device.band({-9, 9, nullptr, 2}, std::vector<char>(100)).empty());
  }
}

// What the ranks' passes give, by pass: recorded from one rank that has all tokens, and given to
// ranks that have a part of them, as an all-reduce would. Their own shares are added up.
class RecordedReduce {
 public:
  DeviceReduce record() {
    return {
        [this](auto* counts, int64_t number, cudaStream_t) { return keep(sums_, counts, number); },
        [this](auto* values, int64_t number, cudaStream_t) {
          return keep(maxima_, values, number);
        }};
  }
  DeviceReduce replay() {
    sum_pass_ = max_pass_ = 0;
    return {[this](auto* counts, int64_t number, cudaStream_t) {
              return replace(sums_, own_sums_, sum_pass_++, counts, number);
            },
            [this](auto* values, int64_t number, cudaStream_t) {
              return replace(maxima_, own_maxima_, max_pass_++, values, number);
            }};
  }
  // Of all ranks that replayed.
  void expect_shares_add_up() const {
    for (const auto& [pass, shares] : own_sums_) {
      std::vector<unsigned long long> total(shares[0].size());
      for (const auto& share : shares)
        for (size_t i = 0; i < total.size(); ++i) total[i] += share[i];
      EXPECT_EQ(total, sums_[pass]) << pass;
    }
  }

 private:
  template <class T>
  static cudaError_t keep(std::vector<std::vector<T>>& passes, T* device, int64_t number) {
    passes.push_back(read(device, number));
    return cudaSuccess;
  }
  template <class T>
  static cudaError_t replace(const std::vector<std::vector<T>>& passes,
                             std::map<size_t, std::vector<std::vector<T>>>& own, size_t pass,
                             T* device, int64_t number) {
    own[pass].push_back(read(device, number));
    return cudaMemcpy(device, passes[pass].data(), passes[pass].size() * sizeof(T),
                      cudaMemcpyHostToDevice);
  }
  template <class T>
  static std::vector<T> read(const T* device, int64_t number) {
    std::vector<T> values(static_cast<size_t>(number));
    check_cuda(cudaDeviceSynchronize());
    check_cuda(
        cudaMemcpy(values.data(), device, values.size() * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }

  std::vector<std::vector<unsigned long long>> sums_;
  std::vector<std::vector<int32_t>> maxima_;
  std::map<size_t, std::vector<std::vector<unsigned long long>>> own_sums_;
  std::map<size_t, std::vector<std::vector<int32_t>>> own_maxima_;
  size_t sum_pass_ = 0, max_pass_ = 0;
};

TEST(CovarianceCuda, RanksSelectTheirPartsOfTheWhole) {
  COVRL_REQUIRE_DEVICE();
  const Tokens tokens = make_tokens(3001, 0.2);
  RecordedReduce recorded;
  const std::set<size_t> wanted = OnDevice(tokens, 0, recorded.record()).largest({200});
  EXPECT_EQ(wanted, Reference(tokens).largest(tokens, 200));
  std::set<size_t> seen;
  for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, 700}, {700, 700}, {700, 3001}}) {
    const auto part = [begin = begin, end = end](const auto& all) {
      return std::decay_t<decltype(all)>(all.begin() + static_cast<int64_t>(begin),
                                         all.begin() + static_cast<int64_t>(end));
    };
    OnDevice rank(
        {part(tokens.logprob), part(tokens.advantage), part(tokens.mask), part(tokens.ids)}, 0,
        recorded.replay());
    for (const size_t place : rank.largest({200})) seen.insert(begin + place);
  }
  EXPECT_EQ(seen, wanted);
  recorded.expect_shares_add_up();
}

TEST(CovarianceCuda, RefusesSizesThatSumsCannotHave) {
  EXPECT_EQ(covariance_moments_cuda({nullptr, nullptr, nullptr, nullptr, -1}, nullptr, nullptr),
            cudaErrorInvalidValue);
  EXPECT_EQ(covariance_moments_cuda({nullptr, nullptr, nullptr, nullptr, kMostMomentTokens + 1},
                                    nullptr, nullptr),
            cudaErrorInvalidValue);
}

}  // namespace
}  // namespace covrl::kernels

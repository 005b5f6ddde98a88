#include "kernels/sample_token_cuda.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/token_logprob_cuda.h"
#include "tests/kernels/cuda_support.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

struct Filter {
  double temperature = 1;
  int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
};

const Filter kFilters[] = {{1.0, 0, 1.0, 0.0},  {0.6, 0, 1.0, 0.0},   {1.0, 5, 1.0, 0.0},
                           {1.0, 1, 1.0, 0.0},  {1.3, 0, 0.9, 0.0},   {0.6, 0, 1.0, 0.05},
                           {1.0, 0, 1e-9, 0.0}, {1.0, 0, 1.0, 1.0},   {0.8, 20, 0.95, 0.01},
                           {1.0, 40, 0.5, 0.0}, {1.0, 0, 0.99, 1e-6}, {0.0, 3, 0.9, 0.1}};

// sample_token.h's distribution in double, by sorting.
class Oracle {
 public:
  Oracle(const std::vector<float>& logits, const Filter& filter) : logits_(logits) {
    temperature_ = filter.temperature == 0 ? 1 : filter.temperature;
    max_ = *std::max_element(logits.begin(), logits.end());
    order_.resize(logits.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(),
                     [&](int a, int b) { return logits[a] > logits[b]; });
    for (const int id : order_) total_ += weight(id);
    for (const int id : order_)
      if (weight(id) > 0) entropy_ -= weight(id) / total_ * std::log(weight(id) / total_);
    keep(filter);
  }

  double probability(int id) const { return kept_[id] ? weight(id) / kept_total_ : 0; }
  double logprob(int id) const {
    return (static_cast<double>(logits_[id]) - max_) / temperature_ - std::log(total_);
  }
  double entropy() const { return entropy_; }
  double mean_distance() const { return entropy_ - std::log(total_); }

  int draw(double uniform) const {
    double cumulative = 0;
    int last = -1;
    for (size_t id = 0; id < logits_.size() && cumulative <= uniform; ++id) {
      if (probability(id) > 0) last = static_cast<int>(id);
      cumulative += probability(id);
    }
    return last;
  }

 private:
  double weight(int id) const { return std::exp((logits_[id] - max_) / temperature_); }

  void keep(const Filter& filter) {
    size_t count = order_.size();
    if (filter.temperature == 0) {
      count = 1;
    } else {
      if (filter.top_k > 0 && filter.top_k < static_cast<int64_t>(count)) {
        count = filter.top_k;
        while (count < order_.size() && logits_[order_[count]] == logits_[order_[count - 1]])
          ++count;
      }
      double total = 0, before = 0;
      for (size_t rank = 0; rank < count; ++rank) total += weight(order_[rank]);
      for (size_t rank = 0; rank < count; ++rank) {
        if (filter.top_p < 1 && rank > 0 && before >= filter.top_p * total) count = rank;
        before += weight(order_[rank]);
      }
    }
    kept_.assign(order_.size(), false);
    for (size_t rank = 0; rank < count; ++rank) {
      const int id = order_[rank];
      if (weight(id) == 0 || weight(id) < filter.min_p) continue;
      kept_[id] = true;
      kept_total_ += weight(id);
    }
  }

  const std::vector<float>& logits_;
  double temperature_, max_, total_ = 0, kept_total_ = 0, entropy_ = 0;
  std::vector<int> order_;
  std::vector<char> kept_;
};

struct Sampled {
  std::vector<int64_t> token;
  std::vector<float> logprob, filtered_logprob, entropy;
};

template <class T>
SampleTokenRows rows_of(int64_t num_rows, int64_t num_ids, const Filter& filter) {
  SampleTokenRows rows;
  rows.type = kType<T>;
  rows.num_rows = num_rows;
  rows.num_ids = num_ids;
  rows.temperature = filter.temperature;
  rows.top_k = filter.top_k;
  rows.top_p = filter.top_p;
  rows.min_p = filter.min_p;
  return rows;
}

template <class T>
Sampled run(SampleTokenRows rows, const std::vector<T>& logits) {
  DeviceBuffer<T> device_logits(logits);
  DeviceBuffer<int64_t> token(rows.num_rows);
  DeviceBuffer<float> logprob(rows.num_rows), filtered(rows.num_rows), entropy(rows.num_rows);
  rows.logits_BV = device_logits.data();
  rows.token_B = token.data();
  rows.logprob_B = logprob.data();
  rows.filtered_logprob_B = filtered.data();
  rows.entropy_B = entropy.data();
  check_cuda(sample_token_cuda(rows, nullptr));
  return {token.host(), logprob.host(), filtered.host(), entropy.host()};
}

// Rows of logits, one after the other, and a uniform each.
template <class T>
Sampled sample(const std::vector<T>& logits, const Filter& filter,
               const std::vector<double>& uniforms) {
  DeviceBuffer<double> device_uniforms(uniforms);
  const int64_t num_rows = static_cast<int64_t>(uniforms.size());
  SampleTokenRows rows =
      rows_of<T>(num_rows, static_cast<int64_t>(logits.size()) / num_rows, filter);
  rows.uniforms_B = device_uniforms.data();
  return run(rows, logits);
}

template <class T>
std::vector<T> repeated(const std::vector<T>& row, size_t count) {
  std::vector<T> rows;
  for (size_t i = 0; i < count; ++i) rows.insert(rows.end(), row.begin(), row.end());
  return rows;
}

std::vector<double> random_uniforms(size_t count, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::vector<double> uniforms;
  for (size_t i = 0; i < count; ++i)
    uniforms.push_back(static_cast<double>(engine() >> 11) * 0x1p-53);
  return uniforms;
}

template <class T>
void set(Stored<T>& stored, size_t place, float value) {
  stored.values[place] = static_cast<T>(value);
  stored.floats[place] = static_cast<float>(stored.values[place]);
}

// Near the edges of each id's part of [0, 1): which ids are drawn, in which order, how often. An
// edge is known to the error of as many weights as there are ids.
template <class T>
void expect_distribution(const Stored<T>& logits, const Filter& filter) {
  const Oracle oracle(logits.floats, filter);
  const double margin = 1e-6;
  std::vector<double> uniforms;
  std::vector<int64_t> expected;
  double edge = 0;
  for (size_t id = 0; id < logits.floats.size(); ++id) {
    const double probability = oracle.probability(id);
    if (probability > 3 * margin) {
      for (const double uniform : {edge + margin, edge + probability - margin}) {
        uniforms.push_back(uniform);
        expected.push_back(static_cast<int64_t>(id));
      }
    }
    edge += probability;
  }
  EXPECT_EQ(sample(repeated(logits.values, uniforms.size()), filter, uniforms).token, expected)
      << logits.floats.size() << " ids, temperature " << filter.temperature << " top_k "
      << filter.top_k << " top_p " << filter.top_p << " min_p " << filter.min_p;
}

template <class T>
class SampleTokenCuda : public ::testing::Test {};
TYPED_TEST_SUITE(SampleTokenCuda, StorageTypes);

TYPED_TEST(SampleTokenCuda, DistributionMatchesTheOracle) {
  COVRL_REQUIRE_DEVICE();
  for (const Filter& filter : kFilters)
    for (const int64_t num_ids : {1, 2, 7, 31, 257})
      expect_distribution(random_values<TypeParam>(num_ids, 3, 5), filter);
}

TYPED_TEST(SampleTokenCuda, DistributionWithEqualAndImpossibleLogits) {
  COVRL_REQUIRE_DEVICE();
  for (const Filter& filter : kFilters) {
    Stored<TypeParam> logits = random_values<TypeParam>(100, 2, 6);
    for (size_t id = 0; id < 100; id += 3) set(logits, id, -INFINITY);
    for (size_t id = 1; id < 100; id += 3) set(logits, id, id % 2 == 0 ? 1.5f : 0.0f);
    set(logits, 4, -0.0f);
    expect_distribution(logits, filter);
    for (size_t id = 0; id < 100; ++id) set(logits, id, id == 77 ? -3.0f : -INFINITY);
    expect_distribution(logits, filter);
  }
}

TYPED_TEST(SampleTokenCuda, RealVocabularyMatchesTheOracle) {
  COVRL_REQUIRE_DEVICE();
  const Stored<TypeParam> logits = random_values<TypeParam>(model_shape::kVocabulary, 4, 7);
  const std::vector<double> uniforms = {0.001, 0.37, 0.99};
  for (const Filter& filter : {Filter{0.6, 0, 1.0, 0.0}, Filter{1.0, 50, 0.9, 0.001},
                               Filter{1.0, 0, 0.8, 0.0}, Filter{0.0, 0, 1.0, 0.0}}) {
    const Oracle oracle(logits.floats, filter);
    const Sampled sampled = sample(repeated(logits.values, uniforms.size()), filter, uniforms);
    for (size_t row = 0; row < uniforms.size(); ++row)
      EXPECT_EQ(sampled.token[row], oracle.draw(uniforms[row])) << uniforms[row];
  }
}

// Upper 1e-6 point of the chi-square distribution (Wilson and Hilferty 1931).
double chi_square_bound(double degrees) {
  const double spread = 2.0 / (9.0 * degrees);
  return degrees * std::pow(1 - spread + 4.753 * std::sqrt(spread), 3);
}

TYPED_TEST(SampleTokenCuda, DrawsFollowTheDistribution) {
  COVRL_REQUIRE_DEVICE();
  constexpr int kDraws = 600, kBins = 20;
  const Filter filter = {0.9, 300, 0.95, 0.0};
  const Stored<TypeParam> logits = random_values<TypeParam>(1009, 1, 8);
  const Oracle oracle(logits.floats, filter);
  const Sampled sampled =
      sample(repeated(logits.values, kDraws), filter, random_uniforms(kDraws, 9));
  std::vector<double> expected(kBins), seen(kBins);
  for (int id = 0; id < 1009; ++id) expected[id % kBins] += kDraws * oracle.probability(id);
  for (const int64_t id : sampled.token) {
    ASSERT_GT(oracle.probability(id), 0);
    ++seen[id % kBins];
  }
  double statistic = 0;
  for (int bin = 0; bin < kBins; ++bin)
    statistic += (seen[bin] - expected[bin]) * (seen[bin] - expected[bin]) / expected[bin];
  EXPECT_LT(statistic, chi_square_bound(kBins - 1));
}

TYPED_TEST(SampleTokenCuda, ReportsTheLogprobsOfWhatItDrew) {
  COVRL_REQUIRE_DEVICE();
  constexpr double kEpsilon = 0x1p-24;
  for (const Filter& filter : kFilters) {
    const Stored<TypeParam> logits = random_values<TypeParam>(1003, 4, 10);
    const Oracle oracle(logits.floats, filter);
    const std::vector<double> uniforms = random_uniforms(5, 11);
    const Sampled sampled = sample(repeated(logits.values, 5), filter, uniforms);
    for (int row = 0; row < 5; ++row) {
      const int id = static_cast<int>(sampled.token[row]);
      const double tolerance =
          8 * kEpsilon * (1 + std::abs(oracle.mean_distance()) + std::abs(oracle.logprob(id)));
      EXPECT_NEAR(sampled.logprob[row], oracle.logprob(id), tolerance);
      EXPECT_NEAR(sampled.filtered_logprob[row], std::log(oracle.probability(id)), tolerance);
      EXPECT_NEAR(sampled.entropy[row], oracle.entropy(), tolerance);
    }
  }
}

TYPED_TEST(SampleTokenCuda, ScoringTheDrawnTokenGivesItsBits) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t num_ids : {513, 1024}) {
    const Stored<TypeParam> logits = random_values<TypeParam>(3 * num_ids, 4, 12);
    const Sampled sampled = sample(logits.values, {0.6, 0, 1.0, 0.0}, {0.1, 0.5, 0.9});
    DeviceBuffer<TypeParam> device_logits(logits.values);
    DeviceBuffer<int64_t> targets(sampled.token);
    DeviceBuffer<float> logprob(3), entropy(3), statistics(9);
    check_cuda(token_logprob_forward_cuda(
        {device_logits.data(), kType<TypeParam>, targets.data(), 3, num_ids,
         static_cast<float>(1 / 0.6), logprob.data(), entropy.data(), statistics.data()},
        nullptr));
    EXPECT_EQ(sampled.logprob, logprob.host());
    EXPECT_EQ(sampled.filtered_logprob, sampled.logprob);
    EXPECT_EQ(sampled.entropy, entropy.host());
  }
}

TYPED_TEST(SampleTokenCuda, RowDoesNotDependOnItsBatch) {
  COVRL_REQUIRE_DEVICE();
  const Filter filter = {0.7, 50, 0.9, 0.0};
  const int64_t num_ids = 515;
  const Stored<TypeParam> logits = random_values<TypeParam>(4 * num_ids, 3, 13);
  const std::vector<double> uniforms = random_uniforms(4, 14);
  const Sampled batch = sample(logits.values, filter, uniforms);
  for (int row = 0; row < 4; ++row) {
    const auto begin = logits.values.begin() + row * num_ids;
    const Sampled alone =
        sample(std::vector<TypeParam>(begin, begin + num_ids), filter, {uniforms[row]});
    EXPECT_EQ(alone.token[0], batch.token[row]);
    EXPECT_EQ(alone.logprob[0], batch.logprob[row]);
    EXPECT_EQ(alone.filtered_logprob[0], batch.filtered_logprob[row]);
    EXPECT_EQ(alone.entropy[0], batch.entropy[row]);
  }
}

TYPED_TEST(SampleTokenCuda, RowsThatNothingCanBeDrawnFromSaySo) {
  COVRL_REQUIRE_DEVICE();
  Stored<TypeParam> logits = random_values<TypeParam>(4 * 9, 1, 15);
  set(logits, 5, NAN);
  set(logits, 9 + 2, INFINITY);
  for (int id = 0; id < 9; ++id) set(logits, 18 + id, -INFINITY);
  const Sampled sampled = sample(logits.values, {1.0, 3, 0.9, 0.0}, {0.5, 0.5, 0.5, 0.5});
  for (int row = 0; row < 3; ++row) {
    EXPECT_EQ(sampled.token[row], -1);
    EXPECT_TRUE(std::isnan(sampled.logprob[row]));
  }
  EXPECT_GE(sampled.token[3], 0);
}

TEST(SampleTokenCudaUniform, LargestUniformDrawsTheLastKeptId) {
  COVRL_REQUIRE_DEVICE();
  std::vector<float> logits(1000, 0.0f);
  for (int id = 990; id < 1000; ++id) logits[id] = -INFINITY;
  EXPECT_EQ(sample(logits, {}, {std::nextafter(1.0, 0.0)}).token[0], 989);
}

// Among 2^19 equals the token is the first 19 bits of the uniform: those of the first word of the
// known answers that the authors of Philox publish (kat_vectors of Random123).
TEST(SampleTokenCudaUniform, CounterGivesThePublishedNumbers) {
  COVRL_REQUIRE_DEVICE();
  constexpr int64_t kIds = 1 << 19;
  struct Answer {
    std::vector<uint32_t> counter, key;
    uint32_t first_word;
  };
  const Answer answers[] = {
      {{0, 0, 0, 0}, {0, 0}, 0x6627e8d5},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, 0x408f276d},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, 0xd16cfe09}};
  const std::vector<float> logits(kIds, 0.25f);
  for (const Answer& answer : answers) {
    DeviceBuffer<uint32_t> counters(answer.counter);
    SampleTokenRows rows = rows_of<float>(1, kIds, {});
    rows.counters_B4 = counters.data();
    rows.key[0] = answer.key[0];
    rows.key[1] = answer.key[1];
    EXPECT_EQ(run(rows, logits).token[0], answer.first_word >> 13);
  }
}

TEST(SampleTokenCudaSizes, NothingToDoIsSuccessAndBadSizesAreRefused) {
  COVRL_REQUIRE_DEVICE();
  EXPECT_EQ(sample_token_cuda(rows_of<float>(0, 5, {}), nullptr), cudaSuccess);
  EXPECT_EQ(sample_token_cuda(rows_of<float>(-1, 5, {}), nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(sample_token_cuda(rows_of<float>(1, 0, {}), nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(sample_token_cuda(rows_of<float>(1, (1 << 19) + 1, {}), nullptr),
            cudaErrorInvalidValue);
  EXPECT_EQ(sample_token_cuda(rows_of<float>(1, 5, {-1.0}), nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(sample_token_cuda(rows_of<float>(1, 5, {1.0, 0, 0.0}), nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace covrl::kernels

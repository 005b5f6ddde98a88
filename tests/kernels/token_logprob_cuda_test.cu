#include "kernels/token_logprob_cuda.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/kernels/cuda_support.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

constexpr double kEpsilon = 0x1p-24;

struct Case {
  int64_t num_tokens, num_ids;
  float temperature;
  bool minus_infinity;  // every third logit
};

const Case kCases[] = {{1, 1, 1.0f, false},   {1, 7, 0.6f, false},
                       {3, 255, 1.0f, false}, {5, 257, 0.6f, true},
                       {2, 1024, 1.0f, true}, {3, 4099, 0.6f, false},
                       {2, 8192, 0.6f, true}, {1, model_shape::kVocabulary, 0.6f, false}};

// A row in double, as token_logprob.h defines it.
struct ExactRow {
  double max = -INFINITY, log_sum = 0, entropy = 0, mean_distance = 0, logprob = 0;
  std::vector<double> logprobs;

  ExactRow(const float* logits, int64_t num_ids, int64_t target, double inverse_temperature) {
    for (int64_t id = 0; id < num_ids; ++id) max = std::max(max, static_cast<double>(logits[id]));
    double sum = 0;
    for (int64_t id = 0; id < num_ids; ++id)
      sum += std::exp((logits[id] - max) * inverse_temperature);
    log_sum = std::log(sum);
    for (int64_t id = 0; id < num_ids; ++id) {
      logprobs.push_back((logits[id] - max) * inverse_temperature - log_sum);
      if (logprobs[id] > -INFINITY) entropy -= std::exp(logprobs[id]) * logprobs[id];
    }
    logprob = logprobs[target];
    mean_distance =
        entropy -
        log_sum;  // of the logits to the largest, weighted by probability, over the temperature
  }
};

template <class T>
class TokenLogprobCuda : public ::testing::Test {};
TYPED_TEST_SUITE(TokenLogprobCuda, StorageTypes);

template <class T>
struct Problem {
  explicit Problem(const Case& shape)
      : logits(random_values<T>(shape.num_tokens * shape.num_ids, 4, 3)) {
    for (size_t i = 0; shape.minus_infinity && i < logits.values.size(); i += 3)
      logits.values[i] = static_cast<T>(-INFINITY);
    logits.floats = to_floats(logits.values);
    for (int64_t token = 0; token < shape.num_tokens; ++token) {
      const int64_t target = (token * 7919 + 1) % shape.num_ids;
      const bool possible = logits.floats[token * shape.num_ids + target] > -INFINITY;
      targets.push_back(possible ? target : (target + 1) % shape.num_ids);
    }
    grad_logprob = random_values<float>(shape.num_tokens, 1, 4).values;
    grad_entropy = random_values<float>(shape.num_tokens, 1, 5).values;
  }
  Stored<T> logits;
  std::vector<int64_t> targets;
  std::vector<float> grad_logprob, grad_entropy;
};

struct Scores {
  std::vector<float> logprob, entropy, statistics;
};

template <class T>
Scores score(const std::vector<T>& logits, const std::vector<int64_t>& targets,
             float inverse_temperature) {
  const int64_t num_tokens = static_cast<int64_t>(targets.size());
  DeviceBuffer<T> device_logits(logits);
  DeviceBuffer<int64_t> device_targets(targets);
  DeviceBuffer<float> logprob(num_tokens), entropy(num_tokens), statistics(3 * num_tokens);
  check_cuda(token_logprob_forward_cuda(
      {device_logits.data(), kType<T>, device_targets.data(), num_tokens,
       static_cast<int64_t>(logits.size()) / num_tokens, inverse_temperature, logprob.data(),
       entropy.data(), statistics.data()},
      nullptr));
  return {logprob.host(), entropy.host(), statistics.host()};
}

TYPED_TEST(TokenLogprobCuda, ForwardMatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  for (const Case& shape : kCases) {
    const Problem<TypeParam> problem(shape);
    const float inverse_temperature = 1 / shape.temperature;
    const Scores scores = score(problem.logits.values, problem.targets, inverse_temperature);
    for (int64_t token = 0; token < shape.num_tokens; ++token) {
      const ExactRow exact(problem.logits.floats.data() + token * shape.num_ids, shape.num_ids,
                           problem.targets[token], inverse_temperature);
      const double tolerance =
          8 * kEpsilon * (1 + std::abs(exact.mean_distance) + std::abs(exact.logprob));
      EXPECT_NEAR(scores.logprob[token], exact.logprob, tolerance) << shape.num_ids;
      EXPECT_NEAR(scores.entropy[token], exact.entropy, tolerance) << shape.num_ids;
      EXPECT_EQ(scores.statistics[token], exact.max);
    }
  }
}

TYPED_TEST(TokenLogprobCuda, BackwardMatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  for (const Case& shape : kCases) {
    const Problem<TypeParam> problem(shape);
    const float inverse_temperature = 1 / shape.temperature;
    const Scores scores = score(problem.logits.values, problem.targets, inverse_temperature);
    DeviceBuffer<TypeParam> logits(problem.logits.values);
    DeviceBuffer<int64_t> targets(problem.targets);
    DeviceBuffer<float> statistics(scores.statistics), grad_logprob(problem.grad_logprob),
        grad_entropy(problem.grad_entropy);
    check_cuda(token_logprob_backward_cuda(
        {logits.data(), kType<TypeParam>, targets.data(), shape.num_tokens, shape.num_ids,
         inverse_temperature, statistics.data(), grad_logprob.data(), grad_entropy.data()},
        nullptr));
    const std::vector<float> gradient = to_floats(logits.host());
    for (int64_t token = 0; token < shape.num_tokens; ++token) {
      const ExactRow exact(problem.logits.floats.data() + token * shape.num_ids, shape.num_ids,
                           problem.targets[token], inverse_temperature);
      const double g = problem.grad_logprob[token] * inverse_temperature,
                   h = problem.grad_entropy[token] * inverse_temperature;
      for (int64_t id = 0; id < shape.num_ids; ++id) {
        const double probability = std::exp(exact.logprobs[id]);
        const double distance = probability > 0 ? exact.logprobs[id] : 0;
        const double own = id == problem.targets[token] ? g : 0;
        const double expected = own - probability * (g + h * (distance + exact.entropy));
        const double size =
            std::abs(own) +
            probability * (std::abs(g) + std::abs(h) * (std::abs(distance) + exact.entropy));
        const double tolerance = 4 * kEpsilon * (2 + std::abs(distance) + exact.log_sum) * size +
                                 rounding_error<TypeParam>(expected);
        ASSERT_NEAR(gradient[token * shape.num_ids + id], expected, tolerance + 1e-38)
            << shape.num_ids << " " << id;
      }
    }
  }
}

// Columns first .. first+width-1 of rows of num_ids.
template <class T>
std::vector<T> tile_of(const std::vector<T>& rows, int64_t num_ids, int64_t first, int64_t width) {
  std::vector<T> tile;
  for (auto row = rows.begin(); row != rows.end(); row += num_ids)
    tile.insert(tile.end(), row + first, row + first + width);
  return tile;
}

template <class T>
Scores score_in_tiles(const Problem<T>& problem, int64_t num_ids, int64_t tile_size,
                      float inverse_temperature) {
  const int64_t num_tokens = static_cast<int64_t>(problem.targets.size());
  DeviceBuffer<int64_t> targets(problem.targets);
  DeviceBuffer<float> state(4 * num_tokens), logprob(num_tokens), entropy(num_tokens),
      statistics(3 * num_tokens);
  for (int64_t first = 0; first < num_ids; first += tile_size) {
    const int64_t width = std::min(tile_size, num_ids - first);
    DeviceBuffer<T> logits(tile_of(problem.logits.values, num_ids, first, width));
    check_cuda(token_logprob_fold_cuda({logits.data(), kType<T>, targets.data(), num_tokens, width,
                                        first, inverse_temperature, state.data()},
                                       nullptr));
    check_cuda(cudaDeviceSynchronize());
  }
  check_cuda(token_logprob_finish_cuda({state.data(), num_tokens, inverse_temperature,
                                        logprob.data(), entropy.data(), statistics.data()},
                                       nullptr));
  return {logprob.host(), entropy.host(), statistics.host()};
}

constexpr int64_t kTileSizes[] = {1, 7, 64, 509, 4096};

TYPED_TEST(TokenLogprobCuda, TilesOfTheVocabularyGiveTheWholeRow) {
  COVRL_REQUIRE_DEVICE();
  const Case cases[] = {{1, 7, 0.6f, false}, {3, 257, 1.0f, true}, {5, 4099, 0.6f, false}};
  for (const Case& shape : cases) {
    const Problem<TypeParam> problem(shape);
    const float inverse_temperature = 1 / shape.temperature;
    for (const int64_t tile_size : kTileSizes) {
      if (shape.num_ids / tile_size > 300) continue;
      const Scores scores = score_in_tiles(problem, shape.num_ids, tile_size, inverse_temperature);
      for (int64_t token = 0; token < shape.num_tokens; ++token) {
        const ExactRow exact(problem.logits.floats.data() + token * shape.num_ids, shape.num_ids,
                             problem.targets[token], inverse_temperature);
        const double tolerance =
            8 * kEpsilon * (1 + std::abs(exact.mean_distance) + std::abs(exact.logprob));
        EXPECT_NEAR(scores.logprob[token], exact.logprob, tolerance) << tile_size;
        EXPECT_NEAR(scores.entropy[token], exact.entropy, tolerance) << tile_size;
        EXPECT_EQ(scores.statistics[token], exact.max);
        EXPECT_NEAR(scores.statistics[shape.num_tokens + token], exact.log_sum, tolerance);
      }
    }
  }
}

template <class T>
std::vector<T> differentiate(const Problem<T>& problem, const std::vector<T>& tile,
                             int64_t first_id, const Scores& scores) {
  const int64_t num_tokens = static_cast<int64_t>(problem.targets.size());
  DeviceBuffer<T> logits(tile);
  DeviceBuffer<int64_t> targets(problem.targets);
  DeviceBuffer<float> statistics(scores.statistics), grad_logprob(problem.grad_logprob),
      grad_entropy(problem.grad_entropy);
  check_cuda(token_logprob_backward_cuda(
      {logits.data(), kType<T>, targets.data(), num_tokens,
       static_cast<int64_t>(tile.size()) / num_tokens, 1.0f, statistics.data(), grad_logprob.data(),
       grad_entropy.data(), first_id},
      nullptr));
  return logits.host();
}

TYPED_TEST(TokenLogprobCuda, GradientOfATileIsThatOfTheRow) {
  COVRL_REQUIRE_DEVICE();
  constexpr int64_t kIds = 1031;
  const Problem<TypeParam> problem({3, kIds, 1.0f, false});
  const Scores scores = score(problem.logits.values, problem.targets, 1.0f);
  const std::vector<TypeParam> whole = differentiate(problem, problem.logits.values, 0, scores);
  for (const int64_t tile_size : {1, 8, 509}) {
    for (int64_t first = 0; first < kIds; first += std::max<int64_t>(tile_size, 41)) {
      const int64_t width = std::min(tile_size, kIds - first);
      const std::vector<TypeParam> tile = tile_of(problem.logits.values, kIds, first, width);
      EXPECT_EQ(to_floats(differentiate(problem, tile, first, scores)),
                to_floats(tile_of(whole, kIds, first, width)))
          << first << " " << width;
    }
  }
}

TYPED_TEST(TokenLogprobCuda, RowHasTheSameBitsAloneAndInABatch) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t num_ids : {513, 1024}) {
    const Problem<TypeParam> problem({4, num_ids, 1.0f, false});
    const Scores batch = score(problem.logits.values, problem.targets, 1.0f);
    for (int64_t token = 0; token < 4; ++token) {
      const auto begin = problem.logits.values.begin() + token * num_ids;
      const Scores alone = score(std::vector<TypeParam>(begin, begin + num_ids),
                                 std::vector<int64_t>{problem.targets[token]}, 1.0f);
      EXPECT_EQ(alone.logprob[0], batch.logprob[token]);
      EXPECT_EQ(alone.entropy[0], batch.entropy[token]);
    }
  }
}

TEST(TokenLogprobCudaSizes, NothingToDoIsSuccessAndBadSizesAreRefused) {
  COVRL_REQUIRE_DEVICE();
  TokenLogprobForward rows;
  rows.num_ids = 5;
  EXPECT_EQ(token_logprob_forward_cuda(rows, nullptr), cudaSuccess);
  rows.num_tokens = -1;
  EXPECT_EQ(token_logprob_forward_cuda(rows, nullptr), cudaErrorInvalidValue);
  TokenLogprobBackward backward;
  backward.num_tokens = 1;
  EXPECT_EQ(token_logprob_backward_cuda(backward, nullptr), cudaErrorInvalidValue);
  TokenLogprobFold tile;
  tile.num_ids = 5;
  EXPECT_EQ(token_logprob_fold_cuda(tile, nullptr), cudaSuccess);
  tile.first_id = -1;
  EXPECT_EQ(token_logprob_fold_cuda(tile, nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(token_logprob_finish_cuda({}, nullptr), cudaSuccess);
}

}  // namespace
}  // namespace covrl::kernels

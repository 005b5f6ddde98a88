#include "kernels/covariance.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "core/error.h"
#include "core/rng.h"
#include "kernels/cpu_isa.h"
#include "kernels/mode.h"

namespace covrl::kernels {
namespace {

// Log-probs, advantages with many ties, a ragged mask, ids in a scattered order.
CovarianceInput make_input(int64_t count, double masked_share) {
  Sequence draws(3, Stream::kTest, static_cast<uint64_t>(count));
  CovarianceInput input{at::empty({count}, at::kFloat),
                        at::empty({count}, at::kFloat),
                        at::empty({count}, at::kBool),
                        {}};
  const std::vector<int64_t> order = permutation(count, draws);
  for (int64_t t = 0; t < count; ++t) {
    const bool inside = draws.uniform() >= masked_share;
    input.mask_T.mutable_data_ptr<bool>()[t] = inside;
    input.logprob_T.mutable_data_ptr<float>()[t] =
        inside ? static_cast<float>(std::round(8 * draws.normal()) / 8) : std::nanf("");
    input.advantage_T.mutable_data_ptr<float>()[t] =
        inside ? static_cast<float>(draws.below(3)) - 1 : std::nanf("");
    input.ids.append(order[static_cast<size_t>(t)] * ((1LL << 33) + 7), 1);
  }
  return input;
}

struct Token {
  double covariance;
  int64_t id, place;
};

// The definition, term by term.
std::vector<Token> reference(const CovarianceInput& input) {
  const float* logprob = input.logprob_T.const_data_ptr<float>();
  const float* advantage = input.advantage_T.const_data_ptr<float>();
  const CovarianceMoments moments = covariance_moments(input);
  std::vector<Token> tokens;
  for (int64_t t = 0; t < input.mask_T.numel(); ++t)
    if (input.mask_T.const_data_ptr<bool>()[t])
      tokens.push_back({(static_cast<double>(logprob[t]) - moments.mean_logprob) *
                            (static_cast<double>(advantage[t]) - moments.mean_advantage),
                        input.ids[t], t});
  return tokens;
}

class CovarianceTest : public ::testing::TestWithParam<std::tuple<int64_t, double>> {
 protected:
  CovarianceInput input = make_input(std::get<0>(GetParam()), std::get<1>(GetParam()));
  CovarianceMoments moments = covariance_moments(input);
};

TEST_P(CovarianceTest, MomentsAndValuesAreTheDefinitions) {
  const at::Tensor logprob = input.logprob_T.masked_select(input.mask_T).to(at::kDouble);
  const at::Tensor advantage = input.advantage_T.masked_select(input.mask_T).to(at::kDouble);
  EXPECT_EQ(moments.count, logprob.numel());
  if (moments.count > 0) {
    EXPECT_NEAR(moments.mean_logprob, logprob.mean().item<double>(), 1e-13);
    EXPECT_NEAR(moments.mean_advantage, advantage.mean().item<double>(), 1e-13);
  }
  const at::Tensor values = covariance(input);
  EXPECT_EQ(values.masked_select(input.mask_T.logical_not()).count_nonzero().item<int64_t>(), 0);
  for (const Token& token : reference(input))
    EXPECT_EQ(values.const_data_ptr<double>()[token.place], token.covariance);
}

TEST_P(CovarianceTest, LargestAreThoseOfASort) {
  std::vector<Token> tokens = reference(input);
  std::sort(tokens.begin(), tokens.end(), [](const Token& a, const Token& b) {
    return a.covariance != b.covariance ? a.covariance > b.covariance : a.id < b.id;
  });
  const int64_t total = static_cast<int64_t>(tokens.size());
  const bool any = std::any_of(tokens.begin(), tokens.end(),
                               [](const Token& token) { return token.covariance != 0; });
  for (const int64_t number :
       {int64_t{0}, int64_t{1}, int64_t{2}, total / 50, total / 3, total, total + 5}) {
    std::vector<int64_t> wanted;
    for (int64_t i = 0; any && i < std::min(number, total); ++i)
      wanted.push_back(tokens[static_cast<size_t>(i)].place);
    const CovarianceSelection selection = select_largest_covariance(input, number);
    EXPECT_EQ(selection.on_host().places, wanted) << number;
    EXPECT_EQ(selection.on_host().num_candidates, any ? total : 0);
    const at::Tensor marked = at::nonzero(selection.mask_T()).flatten();
    std::sort(wanted.begin(), wanted.end());
    EXPECT_TRUE(marked.equal(at::tensor(wanted, at::kLong))) << number;
  }
}

// The tokens of the band by their draws, as seed 9 and step 4 have them.
std::vector<int64_t> by_draws(const CovarianceInput& input, const CovarianceBand& band) {
  const bool* excluded =
      band.excluded_T.defined() ? band.excluded_T.const_data_ptr<bool>() : nullptr;
  std::vector<std::tuple<uint64_t, int64_t, int64_t>> candidates;
  for (const Token& token : reference(input))
    if (token.covariance > band.lower && token.covariance < band.upper &&
        (excluded == nullptr || !excluded[token.place]))
      candidates.emplace_back(random_bits(9, Stream::kClipCov,
                                          {4, static_cast<uint64_t>(token.id) >> 32,
                                           static_cast<uint32_t>(token.id & 0xffffffff), 0}),
                              token.id, token.place);
  std::sort(candidates.begin(), candidates.end());
  std::vector<int64_t> places;
  for (const auto& candidate : candidates) places.push_back(std::get<2>(candidate));
  return places;
}

void expect_smallest_draws(const CovarianceInput& input, const CovarianceBand& band) {
  const std::vector<int64_t> candidates = by_draws(input, band);
  const size_t total = candidates.size();
  for (const size_t number : {size_t{0}, size_t{1}, total / 500, total / 7, total, total + 3}) {
    const SelectedPlaces seen =
        select_in_covariance_band(input, band, static_cast<int64_t>(number), 9, 4).on_host();
    EXPECT_EQ(seen.num_candidates, static_cast<int64_t>(total));
    const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(std::min(number, total));
    EXPECT_EQ(seen.places, std::vector<int64_t>(candidates.begin(), end)) << number;
  }
}

TEST_P(CovarianceTest, BandIsDrawnFromBySmallestDraws) {
  CovarianceBand band{0.1, 1.5, at::zeros_like(input.mask_T)};
  for (int64_t t = 0; t < input.mask_T.numel(); t += 5)
    band.excluded_T.mutable_data_ptr<bool>()[t] = true;
  expect_smallest_draws(input, band);
}

TEST_P(CovarianceTest, SequencesAreDrawnFromByTheirTokensIds) {
  Sequence draws(6, Stream::kTest);
  input.ids = {};
  for (int64_t sequence = 999; input.ids.size() < input.mask_T.numel(); --sequence) {
    const int64_t length =
        std::min(draws.between(1, 2500), input.mask_T.numel() - input.ids.size());
    input.ids.append(sequence << 31, length);
  }
  expect_smallest_draws(input, {0.1, 1.5, {}});
}

// Everything that is computed of an input, tokens by their ids.
auto everything(const CovarianceInput& input) {
  const CovarianceMoments seen = covariance_moments(input);
  const SelectedPlaces largest = select_largest_covariance(input, 40).on_host(),
                       band = select_in_covariance_band(input, {0.1, 1.5, {}}, 40, 1, 2).on_host();
  const auto ids = [&](std::vector<int64_t> places) {
    for (int64_t& place : places) place = input.ids[place];
    return places;
  };
  return std::tuple(seen.count, seen.mean_logprob, seen.mean_advantage, largest.num_candidates,
                    ids(largest.places), band.num_candidates, ids(band.places));
}

// Sums of these values are exact in double.
TEST_P(CovarianceTest, OracleComputesTheSame) {
  const auto wanted = everything(input);
  const at::Tensor values = covariance(input);
  set_mode(Mode::kReference);
  EXPECT_EQ(everything(input), wanted);
  EXPECT_TRUE(covariance(input).equal(values));
  set_mode(Mode::kFast);
}

TEST_P(CovarianceTest, ThreadsAndInstructionSetsChangeNoBit) {
  set_num_threads(1);
  const auto wanted = everything(input);
  for (const Isa set : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (set > best_isa()) continue;
    set_isa(set);
    for (const int num_threads : {1, 3}) {
      set_num_threads(num_threads);
      EXPECT_EQ(everything(input), wanted) << static_cast<int>(set) << ' ' << num_threads;
    }
  }
  set_isa(best_isa());
  set_num_threads(2);
}

TEST_P(CovarianceTest, OrderAndPaddingChangeNoBit) {
  const auto wanted = everything(input);
  Sequence draws(5, Stream::kTest);
  const at::Tensor order = at::tensor(permutation(input.mask_T.numel(), draws), at::kLong),
                   inside = at::nonzero(input.mask_T).flatten();
  for (const at::Tensor& places : {order, inside}) {
    const auto part = [&](const at::Tensor& column) { return column.index_select(0, places); };
    EXPECT_EQ(everything({part(input.logprob_T), part(input.advantage_T), part(input.mask_T),
                          input.ids.at({places.const_data_ptr<int64_t>(),
                                        static_cast<size_t>(places.numel())})}),
              wanted);
  }
}

TEST_P(CovarianceTest, DoublesOfTheSameValuesGiveTheSameBits) {
  EXPECT_EQ(everything({input.logprob_T.to(at::kDouble), input.advantage_T.to(at::kDouble),
                        input.mask_T, input.ids}),
            everything(input));
}

INSTANTIATE_TEST_SUITE_P(Shapes, CovarianceTest,
                         ::testing::Combine(::testing::Values(0, 1, 7, 64, 65, 4096, 4099, 200003),
                                            ::testing::Values(0.0, 0.3, 1.0)));

// The ids fall from place to place.
CovarianceInput input_of(const std::vector<float>& logprob, const std::vector<float>& advantage) {
  const int64_t count = static_cast<int64_t>(logprob.size());
  CovarianceInput input{at::tensor(logprob, at::kFloat),
                        at::tensor(advantage, at::kFloat),
                        at::ones({count}, at::kBool),
                        {}};
  for (int64_t id = count - 1; id >= 0; --id) input.ids.append(id, 1);
  return input;
}

// A search begins with a guess from the first 64 of each 1024 tokens.
TEST(CovarianceSelectionTest, PartsUnlikeTheRestDoNotMatter) {
  for (const bool inside : {false, true}) {
    Sequence draws(8, Stream::kTest);
    std::vector<float> logprob(100000), advantage(100000);
    for (size_t t = 0; t < logprob.size(); ++t) {
      logprob[t] = static_cast<float>(draws.normal());
      advantage[t] = (t % 1024 < 64) == inside ? (t % 2 == 0 ? 1 : -1) : 0;
    }
    const CovarianceInput input = input_of(logprob, advantage);
    expect_smallest_draws(input, {0.5, 2, {}});
    std::vector<Token> tokens = reference(input);
    std::sort(tokens.begin(), tokens.end(),
              [](const Token& a, const Token& b) { return a.covariance > b.covariance; });
    std::vector<int64_t> wanted;
    for (size_t i = 0; i < 900; ++i) wanted.push_back(tokens[i].place);
    EXPECT_EQ(select_largest_covariance(input, 900).on_host().places, wanted);
  }
}

TEST(CovarianceMomentsTest, MeanIsOneRoundingOfTheExactSum) {
  for (const std::vector<float>& values :
       std::vector<std::vector<float>>{{-0.1f, -0.2f, -0.7f},
                                       {3e7f, 1, -3e7f},
                                       {1e30f, -1e30f, 7e29f, 1e29f},
                                       {-1e-9f, -5, -1e-9f, -1e-12f, 1e-3f},
                                       {0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.2f},
                                       std::vector<float>(1001, -0.3f)}) {
    __extension__ typedef __float128 Wide;
    Wide sum = 0;
    for (const float value : values) sum += value;
    const double wanted = static_cast<double>(sum / static_cast<Wide>(values.size()));
    const CovarianceMoments seen = covariance_moments(input_of(values, values));
    EXPECT_EQ(seen.mean_logprob, wanted);
    EXPECT_EQ(seen.mean_advantage, wanted);
  }
}

// The parts at the first scale overflow, in each thread and between them.
TEST(CovarianceMomentsTest, ThreadsAddUpValuesTooLargeForTheFirstScale) {
  set_num_threads(3);
  std::vector<float> values(200003);
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? 3e38f : 1e38f;
  const double high = 3e38f, low = 1e38f, count = 200003;
  const CovarianceMoments seen = covariance_moments(input_of(values, values));
  EXPECT_NEAR(seen.mean_logprob, (100002 * high + 100001 * low) / count, high * 0x1p-50);
  values[77] = INFINITY;
  EXPECT_TRUE(std::isnan(covariance_moments(input_of(values, values)).mean_logprob));
  set_num_threads(2);
}

// Floats of every size below a limit, those that are rounded at 2^-60 among them.
TEST(CovarianceMomentsTest, FloatsAndDoublesOfAnySizeHaveOneMean) {
  for (const float limit : {1e-17f, 1e-11f, 1.0f, 0x1.fffffep6f, 128.0f, 1e6f}) {
    Sequence draws(4, Stream::kTest);
    std::vector<float> values(5000);
    for (float& value : values) {
      const double size = std::log2(static_cast<double>(limit)) - 70 * draws.uniform();
      value = static_cast<float>(std::exp2(size)) * (draws.below(3) == 0 ? -1 : 1);
    }
    values[4321] = limit;
    const CovarianceInput input = input_of(values, values);
    const CovarianceMoments wanted = covariance_moments(
        {input.logprob_T.to(at::kDouble), input.advantage_T.to(at::kDouble), input.mask_T, {}});
    for (const Isa set : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
      if (set > best_isa()) continue;
      set_isa(set);
      EXPECT_EQ(covariance_moments(input).mean_logprob, wanted.mean_logprob) << limit;
      EXPECT_EQ(covariance_moments(input).mean_advantage, wanted.mean_advantage) << limit;
    }
    set_isa(best_isa());
  }
}

TEST(CovarianceMomentsTest, EqualValuesHaveNoCovariance) {
  for (const float value : {0.1f, -0.3f, 0.0f, 1e-20f, 1e-44f, -7e8f, 3e38f}) {
    const CovarianceInput input =
        input_of(std::vector<float>(77, value), std::vector<float>(77, 0.2f));
    for (const Mode one : {Mode::kFast, Mode::kReference}) {
      set_mode(one);
      EXPECT_EQ(covariance_moments(input).mean_logprob, value);
      const SelectedPlaces largest = select_largest_covariance(input, 2).on_host();
      EXPECT_EQ(largest.num_candidates, 0) << value;
      EXPECT_TRUE(largest.places.empty());
      EXPECT_EQ(select_in_covariance_band(input, {-1, 1, {}}, 2, 1, 1).on_host().num_candidates,
                77);
    }
    set_mode(Mode::kFast);
  }
}

TEST(CovarianceMomentsTest, OneBadValueMakesAllNaN) {
  for (const float bad : {std::nanf(""), -std::nanf(""), INFINITY, -INFINITY}) {
    for (const size_t place : {0, 63, 64, 99}) {
      std::vector<float> values(100, 1);
      values[0] = 2;
      values[place] = bad;
      const CovarianceInput input =
          input_of(std::vector<float>(values.rbegin(), values.rend()), std::vector<float>(100, 1));
      for (const Mode one : {Mode::kFast, Mode::kReference}) {
        set_mode(one);
        EXPECT_TRUE(std::isnan(covariance_moments(input).mean_logprob)) << bad << place;
        EXPECT_TRUE(covariance(input).isnan().all().item<bool>());
        EXPECT_EQ(select_largest_covariance(input, 2).on_host().places,
                  (std::vector<int64_t>{99, 98}));
        EXPECT_EQ(select_in_covariance_band(input, {-9, 9, {}}, 2, 1, 1).on_host().num_candidates,
                  0);
      }
      set_mode(Mode::kFast);
    }
  }
}

TEST(CovarianceInputTest, EachTokenNeedsAnId) {
  CovarianceInput input = make_input(10, 0);
  input.ids.append(1, 1);
  EXPECT_THROW(select_largest_covariance(input, 1), Error);
}

TEST(CovarianceInputTest, WrongInputIsNamed) {
  CovarianceInput input = make_input(10, 0);
  input.advantage_T = input.advantage_T.to(at::kDouble);
  try {
    select_largest_covariance(input, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("advantage is Double"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace covrl::kernels

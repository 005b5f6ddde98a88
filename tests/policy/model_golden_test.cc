// The public checkpoints against what torch computed with them: the tolerances are those of its own
// rounding noise.
#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "kernels/linear.h"
#include "policy/kv_cache.h"
#include "policy/model.h"
#include "tests/policy/golden_model.h"

namespace covrl {
namespace {

using testing::golden_rows;

class GoldenModel : public ::testing::TestWithParam<std::string> {};

struct Difference {
  double largest = 0, mean = 0;
};

Difference difference(const float* seen, const std::vector<double>& wanted) {
  Difference result;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double error = std::abs(static_cast<double>(seen[i]) - wanted[i]);
    result.largest = std::isnan(error) ? INFINITY : std::max(result.largest, error);
    result.mean += error / static_cast<double>(wanted.size());
  }
  return result;
}

TEST_P(GoldenModel, ScoresInFloat32) {
  COVRL_REQUIRE_REFERENCE(testing::golden_model_dir(GetParam()));
  const auto model = testing::load_golden_model(GetParam(), DType::kFloat32);
  const double tolerance = testing::golden_meta(GetParam())["atol"].get<double>();
  const auto rows = golden_rows(GetParam(), "score", "float32");
  EXPECT_EQ(rows.size(), 13U);
  for (const Json& row : rows) {
    const PackedScores scores =
        score(*model, pack_tokens({row["ids"].get<std::vector<int64_t>>()}), 1);
    EXPECT_LE(difference(scores.logprob_T.const_data_ptr<float>(), row["logprobs"]).largest,
              tolerance)
        << row["id"];
    EXPECT_LE(difference(scores.entropy_T.const_data_ptr<float>(), row["entropy"]).largest,
              tolerance)
        << row["id"];
  }
}

// Against the float32 results: within a small multiple of torch's own bfloat16 error.
TEST_P(GoldenModel, ScoresInBFloat16) {
  COVRL_REQUIRE_REFERENCE(testing::golden_model_dir(GetParam()));
  const auto requests = golden_rows(GetParam(), "score", "bfloat16");
  if (requests.empty()) GTEST_SKIP() << "not a bfloat16 checkpoint";
  const auto model = testing::load_golden_model(GetParam(), DType::kBFloat16);
  const auto references = golden_rows(GetParam(), "score", "float32");
  const Json noise = testing::golden_meta(GetParam())["bf16"];
  for (const Json& request : requests) {
    const auto reference = std::find_if(references.begin(), references.end(), [&](const Json& row) {
      return row["id"] == request["ref"];
    });
    ASSERT_NE(reference, references.end()) << request["ref"];
    const auto wanted = (*reference)["logprobs"].get<std::vector<double>>();
    const PackedScores scores =
        score(*model, pack_tokens({request["ids"].get<std::vector<int64_t>>()}), 1);
    const Difference error = difference(scores.logprob_T.const_data_ptr<float>(), wanted);
    EXPECT_LE(error.largest, 3 * noise["logprob_max_err"].get<double>() + 0.05) << request["id"];
    if (wanted.size() >= 32) {
      EXPECT_LE(error.mean, 2 * noise["logprob_mean_err"].get<double>() + 0.005) << request["id"];
    }
  }
}

std::vector<int64_t> greedy(const Model& model, const std::vector<int64_t>& prompt, size_t count) {
  KvCache cache(model.config(), model.dtype(), 64);
  const int64_t sequence = cache.add_sequence();
  at::Tensor hidden = model.prefill(pack_tokens({prompt}), {sequence}, cache);
  std::vector<int64_t> tokens;
  for (;;) {
    const at::Tensor last = hidden.slice(0, hidden.size(0) - 1).contiguous();
    tokens.push_back(kernels::linear(last, model.head()).argmax().item<int64_t>());
    if (tokens.size() == count) return tokens;
    hidden = model.decode({tokens.back()}, {sequence}, cache);
  }
}

TEST_P(GoldenModel, GreedyTokens) {
  COVRL_REQUIRE_REFERENCE(testing::golden_model_dir(GetParam()));
  const auto model = testing::load_golden_model(GetParam(), DType::kFloat32);
  for (const Json& row : golden_rows(GetParam(), "generate", "float32")) {
    const auto wanted = row["ids"].get<std::vector<int64_t>>();
    EXPECT_EQ(greedy(*model, row["prompt"], wanted.size()), wanted) << row["id"];
  }
}

TEST_P(GoldenModel, Gradients) {
  COVRL_REQUIRE_REFERENCE(testing::golden_model_dir(GetParam()));
  const auto model = testing::load_golden_model(GetParam(), DType::kFloat32);
  model->set_requires_grad(true);
  const auto rows = golden_rows(GetParam(), "grad", "float32");
  ASSERT_EQ(rows.size(), 1U);
  const Json& row = rows.front();
  const auto sequences = row["sequences"].get<std::vector<std::vector<int64_t>>>();
  const auto masks = row["loss_mask"].get<std::vector<std::vector<float>>>();
  const PackedTokens batch = pack_tokens(sequences);
  std::vector<float> weights;
  for (const auto& mask : masks) {
    weights.insert(weights.end(), mask.begin() + 1, mask.end());
    weights.push_back(0);
  }
  const at::Tensor loss = -(score(*model, batch, 1).logprob_T * at::tensor(weights)).sum() /
                          row["n_targets"].get<double>();
  loss.backward();

  const double mean = row["loss_mean"].get<double>();
  EXPECT_NEAR(loss.item<double>(), mean, 2e-5 * mean);
  EXPECT_EQ(row["grads"].size(), model->parameters().size());
  for (const auto& [name, parameter] : model->parameters()) {
    const Json& wanted = row["grads"].at(name);
    const double norm = wanted["l2"].get<double>();
    EXPECT_NEAR(parameter.grad().norm().item<double>(), norm, 1e-3 * norm) << name;
    const at::Tensor flat = parameter.grad().flatten();
    for (const Json& entry : wanted["entries"]) {
      const double value = entry[1].get<double>();
      EXPECT_NEAR(flat[entry[0].get<int64_t>()].item<double>(), value,
                  3e-3 * std::abs(value) + 1e-9)
          << name << entry;
    }
  }
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Public, GoldenModel, ::testing::ValuesIn(testing::golden_model_names()),
                         test_name);

}  // namespace
}  // namespace covrl

// Which reference vectors the tests of this program and of kernels/ read: every file of the folder
// is of a known kind, or named as left out.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "tests/support/vectors.h"

namespace covrl {
namespace {

// Kind -> the tests that check it.
const std::map<std::string, std::string>& known_kinds() {
  static const std::map<std::string, std::string> kinds = {
      {"actor_loss_one_shot", "ObjectiveTest"},
      {"advantages", "AdvantageTest"},
      {"agg_loss", "ReductionTest"},
      {"covariance_scope", "CovarianceControlTest"},
      {"dapo_pieces", "OverlongTest, DynamicSamplingTest"},
      {"data_selection", "ExampleRanking"},
      {"entropy_dynamics", "EntropyDynamics"},
      {"entropy_fit", "Ceiling"},
      {"entropy_logprob", "TokenLogprobVectorsTest"},
      {"kl_controller", "KlControllerTest"},
      {"kl_penalty", "KlTest"},
      {"microbatch_accumulation", "ObjectiveTest"},
      {"policy_clip_cov", "CovarianceControlTest"},
      {"policy_kl_cov", "CovarianceControlTest"},
      {"policy_other", "PolicyLossTest"},
      {"policy_vanilla", "PolicyLossTest"},
      {"rollout_correction", "RolloutCorrectionTest"},
      {"value_loss", "ValueLossTest"},
      {"verl_latest",
       "PolicyLossTest, ReductionTest, KlTest, AdvantageTest, RolloutCorrectionTest"},
  };
  return kinds;
}

TEST(VectorsIndexTest, EveryFileIsCheckedOrNamed) {
  COVRL_REQUIRE_VECTORS(first, "policy_vanilla");
  size_t num_files = 0, num_cases = 0;
  std::set<std::string> left_out;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(first).parent_path())) {
    if (entry.path().extension() != ".json") continue;
    const std::string kind = entry.path().stem();
    if (known_kinds().count(kind) == 0) {
      left_out.insert(kind);
      continue;
    }
    const size_t size = testing::vector_cases(entry.path()).size();
    EXPECT_GT(size, 0u) << entry.path();
    ++num_files;
    num_cases += size;
  }
  std::cout << "reference vectors: " << num_cases << " cases in " << num_files << " files\n";
  for (const std::string& kind : left_out)
    std::cout << kind << ": a kind without a test here, left out\n";
  EXPECT_GT(num_cases, 0u);
}

}  // namespace
}  // namespace covrl

// docs/entropy.md shows how a control is added: its example is compiled here, and is what it
// quotes.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/jsonl.h"
#include "entropy/control.h"
#include "tests/support/paths.h"

namespace covrl {

std::unique_ptr<EntropyControl> make_no_rare_negatives_control(const EntropyControlConfig& config);

namespace {

TEST(OwnControlTest, TheExampleWorks) {
  const auto control = make_no_rare_negatives_control({});
  ASSERT_TRUE(control->selects());
  ControlView view;
  view.logprob_T = at::tensor({-5.0, -5.0, -1.0, -5.0}, at::kDouble);
  view.advantage_T = at::tensor({-1.0, 1.0, -1.0, -1.0}, at::kDouble);
  view.mask_T = at::tensor({1, 1, 1, 0}, at::kLong).to(at::kBool);
  ControlTerms terms;
  terms.loss_T = at::ones({4}, at::kDouble);
  EXPECT_TRUE(control->apply(terms).equal(terms.loss_T));
  terms.selected_T = control->select(view);
  EXPECT_TRUE(control->apply(terms).equal(at::tensor({0.0, 1.0, 1.0, 1.0}, at::kDouble)));
  Metrics metrics;
  control->report(metrics);
  EXPECT_EQ(metrics.at("entropy_ctrl/rare_negatives"), 1);
}

TEST(OwnControlTest, TheDocumentationQuotesIt) {
  const std::string page = read_file(testing::source_path("docs/entropy.md")),
                    example = read_file(testing::source_path("docs/examples/no_rare_negatives.cc"));
  EXPECT_NE(page.find("```cpp\n" + example + "```\n"), std::string::npos)
      << "docs/entropy.md does not quote docs/examples/no_rare_negatives.cc as it is";
}

}  // namespace
}  // namespace covrl

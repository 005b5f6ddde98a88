#include "rl/op_profile.h"

#include <ATen/Functions.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <optional>

#include "kernels/swiglu.h"

namespace covrl {
namespace {

std::optional<OpProfile::Row> find(const std::vector<OpProfile::Row>& rows, const std::string& verb,
                                   const std::string& op) {
  for (const OpProfile::Row& row : rows)
    if (row.verb == verb && row.op == op) return row;
  return {};
}

void work() {
  RECORD_USER_SCOPE("verb");
  const at::Tensor x = at::ones({64, 64}).requires_grad_(true);
  for (int i = 0; i < 3; ++i) {
    RECORD_USER_SCOPE("inner");
    kernels::swiglu(x, x).sum().backward();
  }
}

TEST(OpProfile, ChargesEachScopeWithItsOwnTimeUnderTheOutermostOne) {
  OpProfile profile;
  work();
  const std::vector<OpProfile::Row> rows = profile.rows();
  ASSERT_TRUE(find(rows, "verb", "verb"));
  EXPECT_EQ(find(rows, "verb", "verb")->calls, 1);
  ASSERT_TRUE(find(rows, "verb", "inner"));
  EXPECT_EQ(find(rows, "verb", "inner")->calls, 3);
  ASSERT_TRUE(find(rows, "verb", "swiglu backward"));
  EXPECT_EQ(find(rows, "verb", "swiglu backward")->calls, 3);
  ASSERT_TRUE(find(rows, "verb", "aten::sum"));
  for (const OpProfile::Row& row : rows) EXPECT_GE(row.seconds, 0) << row.op;
  for (size_t i = 1; i < rows.size(); ++i) EXPECT_GE(rows[i - 1].seconds, rows[i].seconds);
}

TEST(OpProfile, BeginsAnewAndStopsWithItsOwner) {
  {
    OpProfile profile;
    work();
  }
  work();  // not observed
  OpProfile profile;
  EXPECT_TRUE(profile.rows().empty());
  work();
  EXPECT_EQ(find(profile.rows(), "verb", "verb")->calls, 1);
}

TEST(OpProfile, WhatNoScopeMarksIsOutside) {
  OpProfile profile;
  at::ones({4}).sum();
  EXPECT_TRUE(find(profile.rows(), "(outside)", "aten::sum"));
}

TEST(OpProfile, TextAddsVerbsUp) {
  const std::string text = profile_text(
      {{"learn", "linear", 2, 3.0}, {"learn", "learn", 1, 3.0}, {"sample", "linear", 9, 2.0}}, 2);
  EXPECT_NE(text.find("6.000    75.0 %"), std::string::npos) << text;
  EXPECT_NE(text.find("(the rest)"), std::string::npos) << text;
  EXPECT_EQ(text.find("         9"), std::string::npos) << text;  // the third operation
}

}  // namespace
}  // namespace covrl

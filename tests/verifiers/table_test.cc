#include <gtest/gtest.h>

#include "core/error.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

TEST(VerifierTable, EveryNameMakesTheVerifierOfThatName) {
  VerifierOptions options;
  options.external_library = {.path = COVRL_EXTERNAL_VERIFIER, .function = "last_word"};
  options.external_process.command = {"sh", "-c", "echo '{\"ready\": true}'; cat"};
  EXPECT_EQ(verifier_names(),
            std::vector<std::string>({"math", "math_boxed", "format", "choice", "exact", "numeric",
                                      "external_library", "external_process"}));
  for (const std::string& name : verifier_names())
    EXPECT_EQ(make_verifier(name, options)->name(), name);
}

TEST(VerifierTable, AnExplanationHoldsWhatTheVerdictHolds) {
  const std::vector<Explanation> seen = make_verifier("exact")->explain({"\\boxed{b}", "c", ""});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].extracted, "b");
  EXPECT_EQ(seen[0].gold, "c");
  EXPECT_EQ(seen[0].reason, "wrong");
}

TEST(VerifierTable, ThePolicyOfMathIsAnOption) {
  VerifierOptions options;
  options.math.rounding = true;
  for (const char* name : {"math", "math_boxed"}) {
    const VerifyRequest request{"\\boxed{12.75}", "12.8", ""};
    EXPECT_EQ(make_verifier(name)->verify(request).outcome, Outcome::kWrong) << name;
    EXPECT_EQ(make_verifier(name, options)->verify(request).outcome, Outcome::kCorrect) << name;
  }
  options.math.loose = false;
  EXPECT_EQ(make_verifier("math")->verify({"We get 4.", "4", ""}).outcome, Outcome::kCorrect);
  EXPECT_EQ(make_verifier("math", options)->verify({"We get 4.", "4", ""}).outcome,
            Outcome::kUnparsed);
}

TEST(VerifierTable, UnknownNameSaysTheNearest) {
  try {
    make_verifier("maths");
    FAIL() << "accepted";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(message.find("did you mean 'math'"), std::string::npos) << message;
    EXPECT_NE(message.find("format"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace covrl

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

// docs/examples/external_verifier.c, as its users would build it.
std::unique_ptr<Verifier> make(const std::string& path = COVRL_EXTERNAL_VERIFIER,
                               const std::string& function = "last_word") {
  VerifierOptions options;
  options.external_library = {.path = path, .function = function};
  return make_verifier("external_library", options);
}

TEST(ExternalLibrary, JudgesThroughTheInterface) {
  const auto verifier = make();
  const Verdict right = verifier->verify({"it is Paris.", "Paris", "geography"});
  EXPECT_EQ(right.outcome, Outcome::kCorrect);
  EXPECT_EQ(right.score, 1);
  EXPECT_EQ(right.extracted, "Paris");
  EXPECT_EQ(verifier->verify({"it is Rome", "Paris", ""}).outcome, Outcome::kWrong);
  EXPECT_EQ(verifier->verify({"", "Paris", ""}).outcome, Outcome::kUnparsed);
  EXPECT_EQ(verifier->verify({std::string(5000, 'a'), "Paris", ""}).extracted,
            std::string(1024, 'a'));
}

std::string fault(const std::string& path, const std::string& function) {
  try {
    make(path, function);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "accepted";
}

TEST(ExternalLibrary, MistakesNameTheFile) {
  EXPECT_NE(fault("absent.so", "last_word").find("absent.so"), std::string::npos);
  EXPECT_NE(fault(COVRL_EXTERNAL_VERIFIER, "first_word").find("no function first_word"),
            std::string::npos);
}

}  // namespace
}  // namespace covrl

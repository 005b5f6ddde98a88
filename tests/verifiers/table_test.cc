#include <gtest/gtest.h>

#include "core/error.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

TEST(VerifierTable, EveryNameMakesTheVerifierOfThatName) {
  EXPECT_EQ(verifier_names(), std::vector<std::string>({"math", "math_boxed", "format"}));
  for (const std::string& name : verifier_names()) EXPECT_EQ(make_verifier(name)->name(), name);
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

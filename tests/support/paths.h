// Where tests find reference material: the full sets beside the project when present, else the
// compact part in tests/data.
#pragma once

#include <string>

namespace covrl::testing {

// The folder of the full set of reference material, from COVRL_SHARED_DIR, else ../shared beside
// the checkout; "" when absent.
std::string shared_dir();
// `shared_dir()/relative` when it exists, else tests/data/relative when that exists, else "".
std::string reference_path(const std::string& relative);
std::string source_path(const std::string& relative);  // a file of the checkout
// A fresh empty folder, removed at exit.
std::string temporary_dir(const std::string& name);

}  // namespace covrl::testing

// Skips the test with a message when the reference material is absent.
#define COVRL_REQUIRE_REFERENCE(path) \
  if ((path).empty())                 \
  GTEST_SKIP() << "reference material not present (set COVRL_SHARED_DIR to run this test)"

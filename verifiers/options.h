// The keys of each verifier, in a section of its name; a key of a verifier that is not chosen is
// refused.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "verifiers/math_policy.h"

namespace covrl {

struct ExactOptions {
  bool ignore_case = false;
  bool whole_response = false;
  bool operator==(const ExactOptions&) const = default;
  void describe(config::Visitor& v);
};

struct NumericOptions {
  double rel_tol = 1e-4;
  double abs_tol = 0;
  bool operator==(const NumericOptions&) const = default;
  void describe(config::Visitor& v);
};

struct ExternalLibraryOptions {
  std::string path = {};
  std::string function = "compute_score";
  std::string options = {};
  bool operator==(const ExternalLibraryOptions&) const = default;
  void describe(config::Visitor& v);
};

struct ExternalProcessOptions {
  std::vector<std::string> command = {};
  double timeout = 10;        // seconds a request
  double start_timeout = 60;  // seconds until the process says that it is ready
  double correct_from = 0.5;
  bool operator==(const ExternalProcessOptions&) const = default;
  void describe(config::Visitor& v);
};

struct VerifierOptions {
  MathPolicy math = {};  // of math and math_boxed
  ExactOptions exact = {};
  NumericOptions numeric = {};
  ExternalLibraryOptions external_library = {};
  ExternalProcessOptions external_process = {};
  void describe(config::Visitor& v);
  // Refuses keys, found below the section `verifier` of v, of verifiers that are not `used`, and
  // asks for those that a used one cannot do without.
  void check_used(config::Visitor& v, const std::vector<std::string>& used) const;
};

}  // namespace covrl

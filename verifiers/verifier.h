// Text in, verdict out. A verifier is thread-safe, deterministic and bounded in time; a failure is
// an outcome, never a zero.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace covrl {

enum class Outcome { kCorrect, kWrong, kUnparsed, kFailed };
const char* outcome_name(Outcome outcome);  // "correct", "wrong", "unparsed", "failed"

struct Verdict {
  Outcome outcome = Outcome::kFailed;
  double score = 0;       // 1 correct, 0 wrong or unparsed; meaningless when failed
  std::string extracted;  // the answer found in the response, empty when none
  double seconds = 0;
};

struct VerifyRequest {
  std::string_view response;  // the completion only, never the prompt
  std::string_view gold;
  std::string_view data_source;
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  virtual std::string name() const = 0;
  virtual Verdict verify(const VerifyRequest& request) const = 0;
};

// Table of verifiers (verifiers/table.cc): "math", "math_boxed", "format".
std::vector<std::string> verifier_names();
std::unique_ptr<Verifier> make_verifier(
    const std::string& name);  // Error(kUsage) with the nearest and all names

}  // namespace covrl

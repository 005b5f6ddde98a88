// Text in, verdict out. A verifier is thread-safe, deterministic and bounded in time; a failure is
// an outcome, never a zero. (What runs outside our code, the external_ verifiers, is as
// deterministic as its author made it.)
//
// A new verifier is one file here and one line in table.cc; its keys are a struct in options.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "verifiers/explanation.h"
#include "verifiers/options.h"

namespace covrl {

enum class Outcome { kCorrect, kWrong, kUnparsed, kFailed };
const char* outcome_name(Outcome outcome);  // "correct", "wrong", "unparsed", "failed"

// What one verifier of several said (verifiers/weighted.h).
struct VerdictPart {
  Outcome outcome = Outcome::kFailed;
  double score = 0;  // before its weight; meaningless when failed
};

struct Verdict {
  Outcome outcome = Outcome::kFailed;
  // 1 correct, 0 wrong or unparsed; of an external verifier or a weighted sum any finite number.
  // Meaningless when failed.
  double score = 0;
  std::string extracted;  // the answer found in the response, empty when none
  double seconds = 0;
  std::string reason = {};              // why it failed; empty otherwise
  std::vector<VerdictPart> parts = {};  // of a weighted sum, in the order of its verifiers
};

struct VerifyRequest {
  std::string_view response;  // the completion only, never the prompt
  std::string_view gold;
  std::string_view data_source;
  std::string_view extra_info = {};  // JSON object of the row; empty: none
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  virtual std::string name() const = 0;
  virtual Verdict verify(const VerifyRequest& request) const = 0;
  // What verify() saw on its way, for people to read; one for each verifier of a weighted sum.
  virtual std::vector<Explanation> explain(const VerifyRequest& request) const;
};

// Table of verifiers (verifiers/table.cc); docs/rewards.md says what each does.
std::vector<std::string> verifier_names();
// Error(kUsage) with the nearest and all names.
std::unique_ptr<Verifier> make_verifier(const std::string& name,
                                        const VerifierOptions& options = {});

}  // namespace covrl

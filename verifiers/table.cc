#include "core/cli.h"
#include "core/error.h"
#include "verifiers/verifier.h"

// One line a verifier: NAME is made by make_NAME_verifier(options), defined in NAME.cc.
#define COVRL_VERIFIERS(ROW) \
  ROW(math)                  \
  ROW(math_boxed)            \
  ROW(format)                \
  ROW(choice)                \
  ROW(exact)                 \
  ROW(numeric)               \
  ROW(external_library)      \
  ROW(external_process)

namespace covrl {

#define COVRL_DECLARE(NAME) \
  std::unique_ptr<Verifier> make_##NAME##_verifier(const VerifierOptions& options);
COVRL_VERIFIERS(COVRL_DECLARE)
#undef COVRL_DECLARE

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCorrect:
      return "correct";
    case Outcome::kWrong:
      return "wrong";
    case Outcome::kUnparsed:
      return "unparsed";
    case Outcome::kFailed:
      return "failed";
  }
  COVRL_CHECK(false, "outcome ", static_cast<int>(outcome));
}

std::vector<Explanation> Verifier::explain(const VerifyRequest& request) const {
  const Verdict verdict = verify(request);
  Explanation explanation;
  explanation.extracted = verdict.extracted;
  explanation.gold = request.gold;
  explanation.reason = verdict.reason.empty() ? outcome_name(verdict.outcome) : verdict.reason;
  return {explanation};
}

std::vector<std::string> verifier_names() {
#define COVRL_NAME(NAME) #NAME,
  return {COVRL_VERIFIERS(COVRL_NAME)};
#undef COVRL_NAME
}

std::unique_ptr<Verifier> make_verifier(const std::string& name, const VerifierOptions& options) {
#define COVRL_MAKE(NAME) \
  if (name == #NAME) return make_##NAME##_verifier(options);
  COVRL_VERIFIERS(COVRL_MAKE)
#undef COVRL_MAKE
  std::string known;
  for (const std::string& candidate : verifier_names())
    known += (known.empty() ? "" : ", ") + candidate;
  const std::string near = cli::nearest(name, verifier_names());
  throw_usage("unknown verifier '", name, "'", near.empty() ? "" : "; did you mean '" + near + "'?",
              " (known: ", known, ")");
}

}  // namespace covrl

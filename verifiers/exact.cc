#include "verifiers/extract.h"
#include "verifiers/text.h"
#include "verifiers/timed.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

// The same text as the gold answer, but for white space around it.
class ExactVerifier final : public Verifier {
 public:
  explicit ExactVerifier(const ExactOptions& options) : options_(options) {}
  std::string name() const override { return "exact"; }

  Verdict verify(const VerifyRequest& request) const override {
    return timed([&] {
      if (trimmed(request.gold).empty())
        return Verdict{Outcome::kFailed, 0, "", 0, "the gold answer is empty"};
      Verdict verdict;
      verdict.extracted = answer_of(request.response);
      const bool equal = comparable(verdict.extracted) == comparable(trimmed(request.gold));
      const bool empty = verdict.extracted.empty() && !equal;
      verdict.outcome = equal ? Outcome::kCorrect : empty ? Outcome::kUnparsed : Outcome::kWrong;
      verdict.score = equal ? 1 : 0;
      return verdict;
    });
  }

 private:
  std::string answer_of(std::string_view response) const {
    if (!options_.whole_response) {
      const Extraction found = extract_answer(response, {.phrases = true, .loose = false});
      if (found.source != AnswerSource::kNone) return std::string(trimmed(found.answer));
    }
    return std::string(trimmed(response));
  }

  std::string comparable(std::string_view text) const {
    return options_.ignore_case ? lower_case(text) : std::string(text);
  }

  ExactOptions options_;
};

}  // namespace

std::unique_ptr<Verifier> make_exact_verifier(const VerifierOptions& options) {
  return std::make_unique<ExactVerifier>(options.exact);
}

}  // namespace covrl

#include <chrono>

#include "verifiers/compare.h"
#include "verifiers/extract.h"
#include "verifiers/normalise.h"
#include "verifiers/rational.h"
#include "verifiers/verifier.h"

namespace covrl {

namespace {

// Mathematical answers: found in the response, compared with the gold answer.
class MathVerifier final : public Verifier {
 public:
  std::string name() const override { return "math"; }

  Verdict verify(const VerifyRequest& request) const override {
    const auto start = std::chrono::steady_clock::now();
    Verdict verdict = judged(request);
    verdict.score = verdict.outcome == Outcome::kCorrect ? 1 : 0;
    verdict.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return verdict;
  }

 private:
  static Verdict judged(const VerifyRequest& request) {
    Verdict verdict;
    const Extraction found = extract_answer(request.response);
    if (found.source == AnswerSource::kNone) {
      verdict.outcome = Outcome::kUnparsed;
      return verdict;
    }
    const std::string gold = normalise(request.gold);
    if (answers_equal(gold, normalise(found.answer))) {
      verdict.outcome = Outcome::kCorrect;
    } else if (found.source == AnswerSource::kLoose) {
      // The last number of a text that states no answer may be right, but is no answer when it is
      // not.
      verdict.outcome = Outcome::kUnparsed;
      return verdict;
    } else {
      const bool undecided = parse_number(gold).fault == NumberFault::kTooBig;
      verdict.outcome = undecided ? Outcome::kFailed : Outcome::kWrong;
    }
    verdict.extracted = found.answer;
    return verdict;
  }
};

}  // namespace

std::unique_ptr<Verifier> make_math_verifier() { return std::make_unique<MathVerifier>(); }

}  // namespace covrl

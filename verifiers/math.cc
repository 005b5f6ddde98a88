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
  MathVerifier(std::string name, ExtractOptions extract)
      : name_(std::move(name)), extract_(extract) {}
  std::string name() const override { return name_; }

  Verdict verify(const VerifyRequest& request) const override {
    const auto start = std::chrono::steady_clock::now();
    Verdict verdict = judged(request);
    verdict.score = verdict.outcome == Outcome::kCorrect ? 1 : 0;
    verdict.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return verdict;
  }

 private:
  Verdict judged(const VerifyRequest& request) const {
    Verdict verdict;
    const Extraction found = extract_answer(request.response, extract_);
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

  std::string name_;
  ExtractOptions extract_;
};

}  // namespace

// A box, else a stated answer, else the last formula or number.
std::unique_ptr<Verifier> make_math_verifier() {
  return std::make_unique<MathVerifier>("math", ExtractOptions{});
}

// A box or nothing: as a reward it leaves a policy no way to be paid for a number it only passed
// by.
std::unique_ptr<Verifier> make_math_boxed_verifier() {
  return std::make_unique<MathVerifier>("math_boxed",
                                        ExtractOptions{.phrases = false, .loose = false});
}

}  // namespace covrl

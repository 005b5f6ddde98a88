#include "verifiers/math_judge.h"
#include "verifiers/timed.h"
#include "verifiers/verifier.h"

namespace covrl {

namespace {

// Mathematical answers: found in the response, compared with the gold answer.
class MathVerifier final : public Verifier {
 public:
  MathVerifier(std::string name, MathPolicy policy) : name_(std::move(name)), policy_(policy) {}
  std::string name() const override { return name_; }

  Verdict verify(const VerifyRequest& request) const override {
    return timed([&] {
      MathJudgement judgement = judge_math(request.response, request.gold, policy_);
      Verdict verdict;
      verdict.outcome = judgement.outcome;
      verdict.extracted = std::move(judgement.extracted);
      verdict.score = verdict.outcome == Outcome::kCorrect ? 1 : 0;
      if (verdict.outcome == Outcome::kFailed) verdict.reason = explain(request)[0].reason;
      return verdict;
    });
  }

  std::vector<Explanation> explain(const VerifyRequest& request) const override {
    Explanation explanation;
    judge_math(request.response, request.gold, policy_, &explanation);
    return {explanation};
  }

 private:
  std::string name_;
  MathPolicy policy_;
};

}  // namespace

// A box, else a stated answer, else the last formula or number.
std::unique_ptr<Verifier> make_math_verifier(const VerifierOptions& options) {
  return std::make_unique<MathVerifier>("math", options.math);
}

// A box or nothing: as a reward it leaves a policy no way to be paid for a number it only passed
// by.
std::unique_ptr<Verifier> make_math_boxed_verifier(const VerifierOptions& options) {
  MathPolicy policy = options.math;
  policy.phrases = policy.loose = false;
  return std::make_unique<MathVerifier>("math_boxed", policy);
}

}  // namespace covrl

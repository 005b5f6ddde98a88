#include <chrono>

#include "verifiers/extract.h"
#include "verifiers/verifier.h"

namespace covrl {

namespace {

// Correct when the response states an answer, whatever it is.
class FormatVerifier final : public Verifier {
 public:
  std::string name() const override { return "format"; }

  Verdict verify(const VerifyRequest& request) const override {
    const auto start = std::chrono::steady_clock::now();
    Verdict verdict;
    Extraction found = extract_answer(request.response, {.phrases = true, .loose = false});
    const bool stated = found.source != AnswerSource::kNone;
    verdict.outcome = stated ? Outcome::kCorrect : Outcome::kUnparsed;
    verdict.score = stated ? 1 : 0;
    verdict.extracted = std::move(found.answer);
    verdict.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return verdict;
  }
};

}  // namespace

std::unique_ptr<Verifier> make_format_verifier() { return std::make_unique<FormatVerifier>(); }

}  // namespace covrl

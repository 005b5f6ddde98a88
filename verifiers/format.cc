#include "verifiers/extract.h"
#include "verifiers/timed.h"
#include "verifiers/verifier.h"

namespace covrl {

namespace {

// Correct when the response states an answer, whatever it is.
class FormatVerifier final : public Verifier {
 public:
  std::string name() const override { return "format"; }

  Verdict verify(const VerifyRequest& request) const override {
    return timed([&] {
      Extraction found = extract_answer(request.response, {.phrases = true, .loose = false});
      const bool stated = found.source != AnswerSource::kNone;
      return Verdict{stated ? Outcome::kCorrect : Outcome::kUnparsed, stated ? 1.0 : 0.0,
                     std::move(found.answer)};
    });
  }
};

}  // namespace

std::unique_ptr<Verifier> make_format_verifier(const VerifierOptions&) {
  return std::make_unique<FormatVerifier>();
}

}  // namespace covrl

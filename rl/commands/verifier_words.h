// How the commands that judge choose the verifier: --verifier NAME, and the keys of a training
// run's sections verifier and reward as overrides.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cli.h"
#include "verifiers/verifier.h"

namespace covrl {

constexpr int kNumVerifyThreads = 2;  // of the commands that judge beside sampling

struct VerifierWords {
  std::string name = "math";
  std::vector<std::string> overrides = {};
  std::vector<std::string> others =
      {};  // verifiers that problem sets name, whose keys may be given
};

void add_verifier_words(cli::Parser& parser, VerifierWords& words);

// Error(kUsage) with all that is wrong with the words.
std::unique_ptr<Verifier> make_verifier(const VerifierWords& words);
// The name in kept rows (rl/judge_text.h) of the verifier, or of the other one that a set names.
std::string judge_text(const VerifierWords& words);
std::string judge_text(const VerifierWords& words, const std::string& other);
// The keys, for the others.
VerifierOptions verifier_options(const VerifierWords& words);

}  // namespace covrl

// Finds the answer in a response. One pass over the text, whatever it holds.
#pragma once

#include <string>
#include <string_view>

namespace covrl {

enum class AnswerSource {
  kNone,    // nothing found
  kBox,     // the last \boxed{} or \fbox{}; adjacent boxes joined by comma, "and", "or" form a list
  kPhrase,  // after "answer is", "Answer:" or "####"
  kLoose,   // the last formula, else the last number: not stated to be the answer
};

struct ExtractOptions {
  bool phrases = true;
  bool loose = true;
};

struct Extraction {
  AnswerSource source = AnswerSource::kNone;
  std::string answer;
};

// A box decides alone, wherever it stands: when the last one begun is empty or never closed, the
// result is kNone whatever else the text says. Phrases and loose finds are for texts without any
// box; they look at the last 100 kB, behind </think> where there is one.
Extraction extract_answer(std::string_view response, const ExtractOptions& options = {});

}  // namespace covrl

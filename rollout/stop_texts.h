// Texts that end a completion, for prompt styles that leave it to the text to say where it ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/tokenizer.h"

namespace covrl {

class StopTexts {
 public:
  StopTexts(std::vector<std::string> texts, const Tokenizer& tokenizer);

  bool empty() const { return texts_.empty(); }
  // Whether the last token brought one of the texts to its end; to be asked after every token.
  bool reached(const std::vector<int64_t>& tokens) const;
  // The text up to the first of them.
  std::string before(const std::string& text) const;

 private:
  std::vector<std::string> texts_;
  const Tokenizer& tokenizer_;
  int64_t window_ = 0;  // tokens that can hold the longest text: each has a byte at least
};

}  // namespace covrl

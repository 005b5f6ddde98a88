#include "rollout/stop_texts.h"

#include <algorithm>

namespace covrl {

StopTexts::StopTexts(std::vector<std::string> texts, const Tokenizer& tokenizer)
    : texts_(std::move(texts)), tokenizer_(tokenizer) {
  for (const std::string& text : texts_)
    window_ = std::max(window_, static_cast<int64_t>(text.size()));
}

bool StopTexts::reached(const std::vector<int64_t>& tokens) const {
  if (empty()) return false;
  const auto length = std::min(window_, static_cast<int64_t>(tokens.size()));
  const std::string tail = tokenizer_.decode({tokens.end() - length, tokens.end()},
                                             /*skip_special_tokens=*/true);
  return std::any_of(texts_.begin(), texts_.end(),
                     [&](const std::string& text) { return tail.find(text) != std::string::npos; });
}

std::string StopTexts::before(const std::string& text) const {
  size_t end = text.size();
  for (const std::string& stop : texts_) end = std::min(end, text.find(stop));
  return text.substr(0, end);
}

}  // namespace covrl

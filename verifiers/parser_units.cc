#include "verifiers/parser_units.h"

#include "verifiers/vocabulary.h"

namespace covrl::math {

UnitReader::UnitReader(const std::vector<Token>& tokens, size_t at) : at_(at) {
  for (; at_ < tokens.size(); ++at_) {
    const Token& token = tokens[at_];
    if (token.kind == TokenKind::kText) {
      word(token.text);
    } else if ((token.sign('/') || token.sign('*')) && at_ + 1 < tokens.size() &&
               tokens[at_ + 1].kind == TokenKind::kText) {
      unit_ += token.text;
    } else if (token.sign('^') && !unit_.empty()) {
      read_power(tokens);
    } else {
      break;
    }
  }
}

void UnitReader::word(const std::string& text) {
  std::string lower = text;
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower == "am" || lower == "pm") {
    unit_ += lower;
    return;
  }
  if (const int power = math::power_of_ten(lower)) {
    power_of_ten_ += power;
    return;
  }
  changes_meaning_ |= math::changes_meaning(lower);
  if (lower == "square" || lower == "sq") {
    prefix_power_ = "^2";
  } else if (lower == "cubic") {
    prefix_power_ = "^3";
  } else if (lower == "per") {
    unit_ += '/';
  } else {
    unit_ += std::string(usual_unit(text.size() == 1 ? text : lower)) + prefix_power_;
    prefix_power_.clear();
  }
}

// ^2, ^{2}, ^{-1}
void UnitReader::read_power(const std::vector<Token>& tokens) {
  size_t next = at_ + 1;
  const bool braced = tokens[next].sign('{');
  next += braced;
  std::string power = "^";
  if (tokens[next].sign('-')) power += tokens[next++].text;
  if (tokens[next].kind != TokenKind::kNumber || (braced && !tokens[next + 1].sign('}'))) {
    changes_meaning_ = true;
    return;
  }
  unit_ += power + tokens[next].text;
  at_ = next + braced;
}

}  // namespace covrl::math

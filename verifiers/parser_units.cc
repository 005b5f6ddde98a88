#include "verifiers/parser_units.h"

#include "verifiers/text.h"
#include "verifiers/words.h"

namespace covrl::math {

UnitReader::UnitReader(const std::vector<Token>& tokens, size_t at) : at_(at) {
  for (; at_ < tokens.size(); ++at_) {
    const Token& token = tokens[at_];
    if (token.kind == TokenKind::kText) {
      word(token.text);
    } else if ((token.sign('/') || token.sign('*')) && at_ + 1 < tokens.size() &&
               tokens[at_ + 1].kind == TokenKind::kText) {
      unit_ += token.text;
      is_joined_ = true;
    } else if (token.sign('-') && !unit_.empty() && tokens[at_ + 1].kind == TokenKind::kText &&
               !tokens[at_ + 1].after_space) {
      is_joined_ = true;  // light-years
    } else if (token.sign('^') && !unit_.empty()) {
      read_power(tokens);
    } else if (token.sign('(') && !is_open_ && tokens[at_ + 1].kind == TokenKind::kText) {
      is_open_ = true;
    } else if (token.sign(')') && is_open_) {
      is_open_ = false;
    } else {
      break;
    }
  }
  is_unit_ &= !is_open_;
}

void UnitReader::word(const std::string& text) {
  const std::string lower = lower_case(text);
  const bool is_known = is_unit_word(lower) || is_unit_symbol(text) || is_filler(lower);
  const bool is_new = !is_joined_;
  is_joined_ = false;
  if (lower == "am" || lower == "pm") {
    unit_ += lower;
  } else if (!unit_.empty() && (lower == "squared" || lower == "cubed")) {
    unit_ += lower == "squared" ? "^2" : "^3";
  } else if (const int power = math::power_of_ten(lower)) {
    power_of_ten_ += power;
  } else if (math::changes_meaning(lower) || (!is_known && is_new && ++num_unknown_ > 1)) {
    is_unit_ = false;
  } else if (lower == "square" || lower == "sq") {
    prefix_power_ = "^2";
  } else if (lower == "cubic") {
    prefix_power_ = "^3";
  } else if (lower == "per") {
    unit_ += '/';
    is_joined_ = true;
  } else if (lower == "of" && !unit_.empty()) {
    is_joined_ = true;  // bales of hay
  } else if (lower == "in" || !is_filler(lower)) {
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
    is_unit_ = false;
    return;
  }
  unit_ += power + tokens[next].text;
  at_ = next + braced;
}

}  // namespace covrl::math

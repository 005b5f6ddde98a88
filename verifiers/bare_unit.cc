#include "verifiers/bare_unit.h"

#include <algorithm>
#include <string>
#include <utility>

#include "verifiers/text.h"
#include "verifiers/words.h"

namespace covrl::math {

namespace {

// Reads the unit that begins at a token and goes to the end.
class BareUnitReader {
 public:
  BareUnitReader(const std::vector<Token>& tokens, size_t at) : tokens_(tokens), at_(at) {}

  // Its tokens; empty when it is none.
  std::vector<Token> read() {
    constexpr int kMostWords = 6;
    bool good = is_frac() ? fraction() : word();
    for (int words = 1; good && now().kind != TokenKind::kEnd; ++words) {
      if (now().sign('/') || now().sign('*')) {
        is_sure_ |= now().sign('/');
        unit_.push_back(tokens_[at_++]);
      }
      good = words < kMostWords && word();
    }
    return good && is_sure_ ? std::move(unit_) : std::vector<Token>();
  }

 private:
  const Token& now(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool take(char c) {
    if (!now().sign(c)) return false;
    ++at_;
    return true;
  }
  bool take_command(std::string_view name) {
    const bool is_here = now().is(TokenKind::kCommand, name);
    at_ += is_here;
    return is_here;
  }
  bool is_frac() const { return now().is(TokenKind::kCommand, "frac"); }

  // \frac{m}{s^2}
  bool fraction() {
    ++at_;
    if (!take('{') || !word() || !take('}')) return false;
    unit_.push_back({TokenKind::kSign, "/"});
    is_sure_ = true;
    return take('{') && word() && take('}');
  }

  bool word() {
    std::string name;
    const bool is_micro = take_command("mu");
    if (now().kind == TokenKind::kText || now().is(TokenKind::kCommand, "sec")) {
      name = tokens_[at_++].text;
    } else {
      constexpr size_t kLongest = 4;
      while (now().kind == TokenKind::kLetter && name.size() <= kLongest &&
             (name.empty() || !now().after_space))
        name += tokens_[at_++].text;
    }
    if (take_command("Omega")) name += "ohm";
    const bool is_ohm = name == "ohm" || name == "kohm" || name == "Mohm";
    if (!is_ohm && !is_unit_symbol(name) && !is_unit_word(lower_case(name))) return false;
    is_sure_ |= is_micro || name.size() > 1 || (name == "m" && now().sign('^'));
    unit_.push_back({TokenKind::kText, std::move(name)});
    return power();
  }

  // ^2, ^{2}, ^{-1}, or none
  bool power() {
    if (!now().sign('^')) return true;
    const bool braced = now(1).sign('{');
    const bool negative = now(1 + braced).sign('-');
    const size_t number = 1 + braced + negative;
    if (now(number).kind != TokenKind::kNumber || (braced && !now(number + 1).sign('}')))
      return false;
    for (size_t i = 0; i < number + 1 + braced; ++i) unit_.push_back(tokens_[at_++]);
    return true;
  }

  const std::vector<Token>& tokens_;
  size_t at_;
  std::vector<Token> unit_;
  bool is_sure_ = false;  // no product of variables
};

bool ends_value(const Token& token) {
  return token.kind == TokenKind::kNumber || token.sign('}') || token.sign(')');
}

}  // namespace

std::vector<Token> with_bare_unit(const std::vector<Token>& tokens) {
  for (size_t at = 1; at < tokens.size(); ++at) {
    if (!tokens[at].after_space || !ends_value(tokens[at - 1])) continue;
    const std::vector<Token> unit = BareUnitReader(tokens, at).read();
    if (unit.empty()) continue;
    std::vector<Token> result(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(at));
    result.insert(result.end(), unit.begin(), unit.end());
    result.push_back(tokens.back());
    return result;
  }
  return {};
}

}  // namespace covrl::math

// Units behind a value: \text{ cm}^2, m/s, square inches.
#pragma once

#include <string>
#include <vector>

#include "verifiers/lexer.h"

namespace covrl::math {

class UnitReader {
 public:
  // Reads the words at `tokens[at]` and what joins them.
  UnitReader(const std::vector<Token>& tokens, size_t at);

  size_t end() const { return at_; }                  // the first token that is not of it
  const std::string& unit() const { return unit_; }   // in one spelling: "cm^2"
  int power_of_ten() const { return power_of_ten_; }  // 6 for "million"
  // False with a word that changes what is said ("if", "perhaps", "thirds"), or with two words that
  // nobody knows: one may be what is counted ("5 dragons"), two may say anything.
  bool is_unit() const { return is_unit_; }

 private:
  void word(const std::string& text);
  void read_power(const std::vector<Token>& tokens);

  size_t at_;
  std::string unit_, prefix_power_;
  int power_of_ten_ = 0;
  int num_unknown_ = 0;
  bool is_open_ = false;    // a bracket: 5 (cm)
  bool is_joined_ = false;  // the next word by "/" or "per" to the one before
  bool is_unit_ = true;
};

}  // namespace covrl::math

// Where a number in a text ends, and its digits without separators.
#pragma once

#include <string>
#include <string_view>

namespace covrl::math {

struct NumberText {
  std::string text;          // "1234.5", ".5", "1e-3"
  std::string repeat;        // digits that recur: "6" of 0.1\overline{6}
  size_t end = 0;            // past it
  bool may_be_list = false;  // a comma separated its groups: 123,456
};

// What may separate thousands. `sure` stands for `{,}`, `,\!` and `\,`.
struct Separators {
  bool sure = true;
  bool commas = true;
  bool spaces = true;
};

// Whether a number begins at `at`: a digit, a point before one, or .\overline{3}.
bool starts_number(std::string_view text, size_t at);

// `text` at `at` starts a number.
NumberText read_number(std::string_view text, size_t at, Separators separators);

}  // namespace covrl::math

// The \boxed{} and \fbox{} of a text.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace covrl {

struct Box {
  size_t begin = 0;  // of the backslash
  size_t end = 0;    // past the closing brace
  std::string_view content;
};

struct BoxScan {
  std::vector<Box> boxes;        // complete and outermost, in order
  bool last_is_complete = true;  // false: the last box begun has no closing brace
};

// Braces nest; escaped ones (\{ \}) do not count; a space before the opening brace is fine. Without
// braces only a number in digits is a box, where its line, sentence or formula ends with it.
BoxScan find_boxes(std::string_view text);

}  // namespace covrl

// Tables of words, written as text: parted by white space.
#pragma once

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace covrl::math {

using Words = std::unordered_set<std::string_view>;
using Names = std::unordered_map<std::string_view, std::string_view>;

// The words of a literal, in its order.
std::vector<std::string_view> split_words(std::string_view list);
Words words_of(std::string_view list);
// "leq le geq ge": each second word by the one before it.
Names names_of(std::string_view list);

}  // namespace covrl::math

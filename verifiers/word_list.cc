#include "verifiers/word_list.h"

namespace covrl::math {

std::vector<std::string_view> split_words(std::string_view list) {
  constexpr std::string_view kSpace = " \n";
  std::vector<std::string_view> words;
  for (size_t at = list.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const size_t end = list.find_first_of(kSpace, at);
    words.push_back(list.substr(at, end - at));
    at = list.find_first_not_of(kSpace, end);
  }
  return words;
}

Words words_of(std::string_view list) {
  const auto words = split_words(list);
  return {words.begin(), words.end()};
}

Names names_of(std::string_view list) {
  Names names;
  const auto words = split_words(list);
  for (size_t i = 0; i + 1 < words.size(); i += 2) names.emplace(words[i], words[i + 1]);
  return names;
}

}  // namespace covrl::math

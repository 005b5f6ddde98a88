#include "data/tiny/bpe_trainer.h"

#include <algorithm>

#include "core/error.h"
#include "data/tiny/pre_tokenize.h"

namespace covrl::tiny {
namespace {

struct Word {
  std::vector<std::string> parts;
  int64_t count = 0;
};

using Pair = std::pair<std::string, std::string>;

bool is_printable(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

std::map<Pair, int64_t> count_pairs(const std::vector<Word>& words) {
  std::map<Pair, int64_t> counts;
  for (const Word& word : words)
    for (size_t i = 0; i + 1 < word.parts.size(); ++i)
      counts[{word.parts[i], word.parts[i + 1]}] += word.count;
  return counts;
}

void join(std::vector<std::string>& parts, const Pair& pair) {
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] != pair.first || parts[i + 1] != pair.second) continue;
    parts[i] += parts[i + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

std::string utf8(int code_point) {
  if (code_point < 0x80) return std::string(1, static_cast<char>(code_point));
  return {static_cast<char>(0xC0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3F))};
}

}  // namespace

std::vector<uint8_t> byte_order() {
  std::vector<uint8_t> order;
  for (int byte = 0; byte < 256; ++byte)
    if (is_printable(byte)) order.push_back(static_cast<uint8_t>(byte));
  for (int byte = 0; byte < 256; ++byte)
    if (!is_printable(byte)) order.push_back(static_cast<uint8_t>(byte));
  return order;
}

std::string byte_symbol(uint8_t byte) {
  if (is_printable(byte)) return utf8(byte);
  int code_point = 256;
  for (int other = 0; other < byte; ++other) code_point += !is_printable(other);
  return utf8(code_point);
}

void BpeTrainer::add(std::string_view text) {
  pre_tokenize(text, [&](std::string_view piece) {
    const auto found = piece_counts_.find(piece);
    if (found != piece_counts_.end())
      ++found->second;
    else
      piece_counts_.emplace(piece, 1);
  });
}

std::vector<Pair> BpeTrainer::merges(size_t count) const {
  std::vector<Word> words;
  for (const auto& [piece, piece_count] : piece_counts_) {
    Word word{{}, piece_count};
    for (const char c : piece) word.parts.emplace_back(1, c);
    words.push_back(std::move(word));
  }
  std::vector<Pair> merges;
  while (merges.size() < count) {
    const std::map<Pair, int64_t> counts = count_pairs(words);
    COVRL_CHECK(!counts.empty(), "only ", merges.size(), " merges of ", count);
    const auto best =
        std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
          return a.second < b.second;  // the first of equals is kept: the smaller pair
        });
    merges.push_back(best->first);
    for (Word& word : words) join(word.parts, merges.back());
  }
  return merges;
}

}  // namespace covrl::tiny

// Trains byte-level BPE (Sennrich et al., arXiv 1508.07909) on ASCII text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace covrl::tiny {

// Order of the 256 byte tokens in the vocabulary: printable characters first, as GPT-2 has them.
std::vector<uint8_t> byte_order();

// The printable UTF-8 character that stands for a byte in tokenizer.json.
std::string byte_symbol(uint8_t byte);

class BpeTrainer {
 public:
  // Counts the pieces of `text` (pre_tokenize.h).
  void add(std::string_view text);

  // The most frequent adjacent pair first, ties to the smaller pair; each as the byte strings that
  // are joined.
  std::vector<std::pair<std::string, std::string>> merges(size_t count) const;

 private:
  std::map<std::string, int64_t, std::less<>> piece_counts_;
};

}  // namespace covrl::tiny

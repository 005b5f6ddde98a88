// The added vocabulary of a tokenizer: finds added tokens in text, as the `tokenizers` library
// does.
//
// At each place the longest token wins, and the search goes on behind it. Tokens that are not
// `normalized` are looked for in the raw text; the others, themselves normalised, in the normalised
// text between those.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/bpe.h"
#include "policy/tokenizer_json.h"

namespace covrl {

// A piece of text: a token, or text still to be split.
struct TextPiece {
  std::string_view text;
  int64_t id = -1;  // -1: text
};

// Byte trie of tokens: the longest one at a position.
class TokenTrie {
 public:
  void add(std::string_view text, const AddedToken* token);
  // The longest token that starts at `position`, null when none; `end`: behind it.
  const AddedToken* longest(std::string_view text, size_t position, size_t& end) const;
  bool empty() const { return nodes_.size() == 1; }

 private:
  struct Node {
    std::vector<std::pair<char, int>> children;
    const AddedToken* token = nullptr;
  };
  int child(int node, char byte) const;
  std::vector<Node> nodes_{1};
};

class AddedVocabulary {
 public:
  // Throws Error(kUsage) naming `where` when an id is not the one that the library gives the token:
  // that of the vocabulary, else the next free one.
  AddedVocabulary(std::vector<AddedToken> tokens, const Bpe& bpe, bool nfc,
                  const std::string& where);
  AddedVocabulary(AddedVocabulary&&) = default;

  std::vector<TextPiece> split_raw(std::string_view text, bool parse_special) const;
  std::vector<TextPiece> split_normalized(std::string_view text, bool parse_special) const;

  const AddedToken* find(int64_t id) const;  // null when absent
  const AddedToken* find(std::string_view content) const;
  int64_t max_id() const;

 private:
  static std::vector<TextPiece> split(std::string_view text, const TokenTrie& trie,
                                      bool parse_special);
  std::map<int64_t, AddedToken> by_id_;
  std::unordered_map<std::string_view, const AddedToken*> by_content_;
  TokenTrie raw_, normalized_;
};

}  // namespace covrl

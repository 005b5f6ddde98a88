// The BPE model of a byte-level tokenizer: words of bytes in, token ids out.
//
// Merges apply by rank, the leftmost first among equals, with a heap: n bytes cost O(n log n).
// Tokens are kept as tokenizer.json writes them, each byte as a printable letter ("Ġ" is a space).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace covrl {

// The letters that stand for bytes in byte-level vocabularies (GPT-2).
const std::array<std::string, 256>& byte_letters();
// What a token stands for: its bytes when it consists of byte letters only, else its own text.
std::string token_bytes(std::string_view token);

struct BpeModel {
  std::vector<std::pair<std::string, int64_t>> vocab;       // token, id
  std::vector<std::pair<std::string, std::string>> merges;  // by rank
  std::string
      unk_token;  // empty: a byte without a token is dropped, as the `tokenizers` library does
  bool fuse_unk = false;  // a run of unknown bytes is one unk_token
  bool ignore_merges =
      false;  // a word that is a token is that token, whatever the merges say (Llama-3)
};

class Bpe {
 public:
  // Throws Error(kUsage) naming `where` and the token for duplicate tokens or ids, ids out of
  // range, merges whose parts or result are not tokens.
  Bpe(BpeModel model, const std::string& where);

  void encode_word(std::string_view bytes, std::vector<int64_t>& ids) const;
  int64_t token_to_id(std::string_view token) const;  // -1 when absent
  const std::string* id_to_token(int64_t id) const;   // null when absent
  int64_t num_tokens() const { return static_cast<int64_t>(id_of_.size()); }
  int64_t max_id() const { return static_cast<int64_t>(tokens_.size()) - 1; }

 private:
  struct Merge {
    int32_t rank, result;
  };
  struct Symbol {
    int32_t id, previous, next;
  };
  struct Candidate {
    int32_t rank, position, result;
    bool operator>(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : position > other.position;
    }
  };
  void add_vocab(BpeModel& model, const std::string& where);
  void add_merges(const BpeModel& model, const std::string& where);
  const Merge* find_merge(int32_t left, int32_t right) const;
  std::vector<Symbol> initial_symbols(std::string_view bytes) const;
  void merge_all(std::vector<Symbol>& symbols) const;

  std::vector<std::string> tokens_;                      // by id; ids between may be unused
  std::vector<bool> used_;                               // by id
  std::unordered_map<std::string_view, int32_t> id_of_;  // views into tokens_
  std::unordered_map<uint64_t, Merge> merges_;           // left id << 32 | right id
  std::array<int32_t, 256> byte_ids_{};                  // -1: no token
  int32_t unk_id_ = -1;
  bool fuse_unk_, ignore_merges_;
};

}  // namespace covrl

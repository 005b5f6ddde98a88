// tokenizer.json as data. The vocabulary and the merges, hundreds of thousands of entries, are read
// straight into vectors; the small sections stay JSON.
#pragma once

#include <string>
#include <vector>

#include "core/jsonl.h"
#include "policy/bpe.h"

namespace covrl {

struct AddedToken {
  std::string content;
  int64_t id = 0;
  bool special =
      false;  // dropped by skip_special_tokens, ordinary text without parse_special_tokens
  bool single_word = false;  // matched only between non-word characters
  bool lstrip = false;       // takes the whitespace before it
  bool rstrip = false;       // takes the whitespace after it
  bool normalized = true;    // matched in the normalised text, itself normalised
  std::string matched;       // what is looked for in the text, and what decoding gives
};

struct TokenizerJson {
  BpeModel model;
  std::vector<AddedToken> added_tokens;
  bool nfc = false;  // normalizer
  Json pre_tokenizer;
  std::vector<int64_t> prefix;  // post_processor: ids put around a text
  std::vector<int64_t> suffix;
};

// Throws Error(kUsage) naming `path` and what is malformed or not supported. `truncation` and
// `padding` are left out of account: they concern batches, not the ids of a text.
TokenizerJson read_tokenizer_json(const std::string& path);

}  // namespace covrl

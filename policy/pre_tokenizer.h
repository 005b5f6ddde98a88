// Splits normalised text into the words that BPE works on: the pre_tokenizer section of
// tokenizer.json.
//
// Supported: Split with one of the known regexes (Qwen2, Llama-3, GPT-4, GPT-2; recognised by their
// exact text, matched by hand over code points), ByteLevel, and Sequence of these. Bytes stay bytes
// here: ByteLevel's letters for bytes are the business of the BPE model.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/jsonl.h"

namespace covrl {

// The families of word patterns; what differs is how digits, leading characters and line ends
// group.
struct WordPattern {
  enum class Style { kGpt2, kGpt4 };
  Style style = Style::kGpt4;
  int max_digits = 1;  // kGpt4: longest group of \p{N}

  // End of the word that starts at `position`; the patterns match every text, so it is always
  // larger.
  size_t match(std::string_view text, size_t position) const;
};

// The pattern whose regex has exactly this text; empty when unknown.
std::optional<WordPattern> find_word_pattern(std::string_view regex);

class PreTokenizer {
 public:
  // `section`: the JSON value of pre_tokenizer; `where`: the file, for messages. Throws
  // Error(kUsage) for what is unsupported.
  static PreTokenizer from_json(const Json& section, const std::string& where);

  // The words of `text` (valid UTF-8, not empty) in order, none empty; their concatenation is the
  // text, but for spaces that add_prefix_space puts in front: such words live in `storage`.
  std::vector<std::string_view> split(std::string_view text,
                                      std::deque<std::string>& storage) const;

 private:
  struct Step {
    bool add_prefix_space = false;
    std::optional<WordPattern> pattern;
  };
  void add_step(const Json& section, const std::string& where);
  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace covrl

// Byte-level BPE tokenizer read from a checkpoint's tokenizer.json: NFC (or no) normaliser, Qwen2
// and Llama-3 pre-tokenizers, merges as strings or pairs, added tokens, ByteLevel or template
// post-processor (BOS).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace covrl {

struct EncodeOptions {
  bool add_special_tokens = true;  // what the post-processor adds (BOS of the Llama family)
  bool parse_special_tokens =
      true;  // false: text that looks like a `special` added token is ordinary text
};

class Tokenizer {
 public:
  // Throws Error(kUsage) naming the file and what is malformed or unsupported (and what is
  // supported).
  static Tokenizer from_dir(
      const std::string& dir);  // dir/tokenizer.json and, when present, tokenizer_config.json
  static Tokenizer from_file(const std::string& tokenizer_json);
  Tokenizer(Tokenizer&&) noexcept;
  ~Tokenizer();

  std::vector<int64_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  // Unknown ids are dropped; broken UTF-8 becomes U+FFFD, one per maximal invalid prefix.
  std::string decode(const std::vector<int64_t>& ids, bool skip_special_tokens) const;

  int64_t vocab_size() const;                         // largest id + 1
  int64_t token_to_id(std::string_view token) const;  // -1 when absent
  bool is_special(int64_t id) const;
  std::string bos_token() const;  // text from tokenizer_config.json, empty when none
  std::string eos_token() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace covrl

#include "policy/tokenizer.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <unordered_map>

#include "core/error.h"
#include "core/jsonl.h"
#include "policy/bpe.h"
#include "policy/pre_tokenizer.h"
#include "policy/tokenizer_added.h"
#include "policy/tokenizer_json.h"
#include "policy/unicode.h"

namespace covrl {
namespace {

// A token of tokenizer_config.json: null, its text, or an object with its text as content.
std::string read_token_text(const Json& config, const char* key, const std::string& path) {
  const Json value = config.value(key, Json());
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object()) return get_string(value, "content", concat(path, ": ", key));
  throw_usage(path, ": ", key, " is ", value.dump(),
              "; it is null, a string, or {\"content\": ...}");
}

}  // namespace

struct Tokenizer::Impl {
  Bpe bpe;
  AddedVocabulary added;
  PreTokenizer pre_tokenizer;
  bool nfc;
  std::vector<int64_t> prefix, suffix;
  std::string bos_token, eos_token;

  Impl(TokenizerJson json, const std::string& path)
      : bpe(std::move(json.model), path),
        added(std::move(json.added_tokens), bpe, json.nfc, path),
        pre_tokenizer(PreTokenizer::from_json(json.pre_tokenizer, path)),
        nfc(json.nfc),
        prefix(std::move(json.prefix)),
        suffix(std::move(json.suffix)) {}

  // Each distinct word is merged once.
  void encode_words(std::string_view text, std::vector<int64_t>& ids) const {
    std::deque<std::string> storage;
    std::unordered_map<std::string_view, std::vector<int64_t>> cache;
    for (const std::string_view word : pre_tokenizer.split(text, storage)) {
      auto [entry, is_new] = cache.try_emplace(word);
      if (is_new) bpe.encode_word(word, entry->second);
      ids.insert(ids.end(), entry->second.begin(), entry->second.end());
    }
  }

  void encode_text(std::string_view text, bool parse_special, std::vector<int64_t>& ids) const {
    const std::string normalized = nfc ? normalize_nfc(text) : std::string(text);
    for (const TextPiece& piece : added.split_normalized(normalized, parse_special)) {
      if (piece.id >= 0) {
        ids.push_back(piece.id);
      } else {
        encode_words(piece.text, ids);
      }
    }
  }
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::from_file(const std::string& tokenizer_json) {
  return Tokenizer(std::make_unique<Impl>(read_tokenizer_json(tokenizer_json), tokenizer_json));
}

Tokenizer Tokenizer::from_dir(const std::string& dir) {
  const std::filesystem::path folder(dir);
  Tokenizer tokenizer = from_file((folder / "tokenizer.json").string());
  const std::string config_path = (folder / "tokenizer_config.json").string();
  if (!std::filesystem::exists(config_path)) return tokenizer;
  const Json config = read_json(config_path);
  if (!config.is_object()) throw_usage(config_path, ": not a JSON object");
  tokenizer.impl_->bos_token = read_token_text(config, "bos_token", config_path);
  tokenizer.impl_->eos_token = read_token_text(config, "eos_token", config_path);
  return tokenizer;
}

std::vector<int64_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  const std::string valid = replace_broken_utf8(text);
  std::vector<int64_t> ids;
  if (options.add_special_tokens) ids = impl_->prefix;
  for (const TextPiece& piece : impl_->added.split_raw(valid, options.parse_special_tokens)) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
    } else {
      impl_->encode_text(piece.text, options.parse_special_tokens, ids);
    }
  }
  if (options.add_special_tokens) ids.insert(ids.end(), impl_->suffix.begin(), impl_->suffix.end());
  return ids;
}

std::string Tokenizer::decode(const std::vector<int64_t>& ids, bool skip_special_tokens) const {
  std::string bytes;
  for (const int64_t id : ids) {
    const AddedToken* added = impl_->added.find(id);
    const std::string* token = added != nullptr ? &added->matched : impl_->bpe.id_to_token(id);
    if (token == nullptr || (skip_special_tokens && is_special(id))) continue;
    bytes += token_bytes(*token);
  }
  return replace_broken_utf8(bytes);
}

int64_t Tokenizer::vocab_size() const {
  return std::max(impl_->bpe.max_id(), impl_->added.max_id()) + 1;
}

int64_t Tokenizer::token_to_id(std::string_view token) const {
  const AddedToken* added = impl_->added.find(token);
  return added != nullptr ? added->id : impl_->bpe.token_to_id(token);
}

bool Tokenizer::is_special(int64_t id) const {
  const AddedToken* added = impl_->added.find(id);
  return added != nullptr && added->special;
}

std::string Tokenizer::bos_token() const { return impl_->bos_token; }
std::string Tokenizer::eos_token() const { return impl_->eos_token; }

}  // namespace covrl

#include "data/tiny/tokenizer_files.h"

#include <array>

#include "core/error.h"
#include "core/jsonl.h"
#include "data/tiny/bpe_trainer.h"
#include "data/tiny/pre_tokenize.h"

namespace covrl::tiny {
namespace {

constexpr std::array<const char*, kNumSpecialTokens> kSpecialTokens{"<|endoftext|>", "<|im_start|>",
                                                                    "<|im_end|>"};
constexpr size_t kFirstSpecialId = kVocabularySize - kNumSpecialTokens;

// Plain ChatML: no system turn unless one is given.
constexpr const char* kChatTemplate =
    "{% for message in messages %}\n"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}\n"
    "{% endfor %}\n"
    "{% if add_generation_prompt %}\n"
    "{{ '<|im_start|>assistant\\n' }}\n"
    "{% endif %}\n";

std::string symbols(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += byte_symbol(static_cast<uint8_t>(c));
  return text;
}

Json special_token(const char* content) {
  return {{"content", content}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false},    {"normalized", false},  {"special", true}};
}

Json byte_level() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", false},
          {"use_regex", false}};
}

Json bpe_model(const std::vector<std::pair<std::string, std::string>>& merges) {
  COVRL_CHECK(merges.size() == kNumMerges, merges.size());
  Json vocabulary = Json::object();
  int64_t id = 0;
  for (const uint8_t byte : byte_order()) vocabulary[byte_symbol(byte)] = id++;
  Json lines = Json::array();
  for (const auto& [left, right] : merges) {
    vocabulary[symbols(left + right)] = id++;
    lines.push_back(symbols(left) + " " + symbols(right));
  }
  COVRL_CHECK(vocabulary.size() == kFirstSpecialId, vocabulary.size());
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", ""},
          {"end_of_word_suffix", ""},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", std::move(vocabulary)},
          {"merges", std::move(lines)}};
}

}  // namespace

std::string tokenizer_json(const std::vector<std::pair<std::string, std::string>>& merges) {
  Json added = Json::array();
  for (size_t i = 0; i < kNumSpecialTokens; ++i) {
    Json token = {{"id", kFirstSpecialId + i}};
    token.update(special_token(kSpecialTokens[i]));
    added.push_back(std::move(token));
  }
  const Json split = {{"type", "Split"},
                      {"pattern", {{"Regex", kQwen2Pattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const Json tokenizer = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", std::move(added)},
      {"normalizer", {{"type", "NFC"}}},
      {"pre_tokenizer",
       {{"type", "Sequence"}, {"pretokenizers", Json::array({split, byte_level()})}}},
      {"post_processor", byte_level()},
      {"decoder", byte_level()},
      {"model", bpe_model(merges)}};
  return tokenizer.dump() + "\n";
}

std::string tokenizer_config_json() {
  Json decoder = Json::object();
  for (size_t i = 0; i < kNumSpecialTokens; ++i)
    decoder[std::to_string(kFirstSpecialId + i)] = special_token(kSpecialTokens[i]);
  const Json config = {{"add_prefix_space", false},
                       {"added_tokens_decoder", std::move(decoder)},
                       {"bos_token", nullptr},
                       {"chat_template", kChatTemplate},
                       {"clean_up_tokenization_spaces", false},
                       {"eos_token", kSpecialTokens[2]},
                       {"errors", "replace"},
                       {"model_max_length", 512},
                       {"pad_token", kSpecialTokens[0]},
                       {"split_special_tokens", false},
                       {"tokenizer_class", "Qwen2Tokenizer"},
                       {"unk_token", nullptr}};
  return config.dump(2) + "\n";
}

}  // namespace covrl::tiny

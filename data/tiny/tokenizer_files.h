// tokenizer.json and tokenizer_config.json in the layout of published Qwen2 checkpoints.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace covrl::tiny {

inline constexpr size_t kVocabularySize = 512;
inline constexpr size_t kNumSpecialTokens =
    3;  // <|endoftext|>, <|im_start|>, <|im_end|>: the last ids
inline constexpr size_t kNumMerges = kVocabularySize - 256 - kNumSpecialTokens;

std::string tokenizer_json(const std::vector<std::pair<std::string, std::string>>& merges);
std::string tokenizer_config_json();

}  // namespace covrl::tiny
